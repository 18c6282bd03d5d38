/**
 * Recurrent layers against what the library never builds: Jacobians of every example's outputs in the layer's own variables, by
 * tf.variableGrads through the model as tfjs runs it.
 */
import * as tf from '@tensorflow/tfjs';
import { inverse, Matrix } from 'ml-matrix';
import { lastValueFrom, of } from 'rxjs';
import {
  diagonal,
  type Factors,
  full,
  gaussian,
  kfac,
  type LaplaceErrorKind,
  moments,
  outputDistribution,
  toPosterior,
} from 'tfjs-laplace';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import { cloneModel, writeBlock } from '../../src/network/clone.js';
import { forward } from '../../src/network/forward.js';
import { blockWeights } from '../../src/network/weights.js';
import { matricesOf, pass } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { right } from '../support/math/laplace.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';
import { tensor, withFixedWeights } from '../support/networks.js';

const { layers } = tf;
const [STEPS, WIDTH, OUTPUTS] = [4, 2, 2];
const GAUSSIAN = gaussian();

type Make = () => tf.layers.Layer;

/** The layer under a linear dense one, over [T, 2]. */
function model(make: Make | ReadonlyArray<Make>, T: number | null = STEPS): tf.LayersModel {
  const input = tf.input({ shape: [T, WIDTH] });
  const h = [make].flat().reduce((t, next) => next().apply(t) as tf.SymbolicTensor, input as tf.SymbolicTensor);
  const flat = h.rank === 2 ? h : (layers.flatten().apply(h) as tf.SymbolicTensor);
  return withFixedWeights(
    tf.model({ inputs: input, outputs: layers.dense({ units: OUTPUTS }).apply(flat) as tf.SymbolicTensor }),
  );
}

const CASES: ReadonlyArray<readonly [string, Make | ReadonlyArray<Make>]> = [
  ['SimpleRNN', () => layers.simpleRNN({ units: 2 })],
  ['SimpleRNN, sequences, no bias', () => layers.simpleRNN({ units: 2, useBias: false, returnSequences: true })],
  ['SimpleRNN, relu, backwards', () => layers.simpleRNN({ units: 2, activation: 'relu', goBackwards: true })],
  ['LSTM', () => layers.lstm({ units: 2 })],
  [
    'LSTM, other activations',
    () => layers.lstm({ units: 2, activation: 'softsign', recurrentActivation: 'sigmoid', returnSequences: true }),
  ],
  ['LSTM, backwards, sequences', () => layers.lstm({ units: 2, goBackwards: true, returnSequences: true, useBias: false })],
  ['LSTM with dropout, which is for training', () => layers.lstm({ units: 2, dropout: 0.5, recurrentDropout: 0.5 })],
  ['GRU', () => layers.gru({ units: 2 })],
  ['GRU, sequences, sigmoid', () => layers.gru({ units: 2, recurrentActivation: 'sigmoid', returnSequences: true })],
  ['GRU, no bias, backwards', () => layers.gru({ units: 2, useBias: false, goBackwards: true })],
  ['layers on top of each other', [() => layers.lstm({ units: 2, returnSequences: true }), () => layers.gru({ units: 2 })]],
  ['a stack of cells', () => layers.rnn({ cell: [layers.lstmCell({ units: 2 }), layers.gruCell({ units: 3 })] as never })],
  ...(['concat', 'sum', 'ave', 'mul'] as const).map(
    (mergeMode) =>
      [
        `Bidirectional, ${mergeMode}`,
        () => layers.bidirectional({ layer: layers.gru({ units: 2, returnSequences: true }) as never, mergeMode }),
      ] as const,
  ),
  ['Bidirectional, last outputs', () => layers.bidirectional({ layer: layers.lstm({ units: 2 }) as never, mergeMode: 'concat' })],
];

const inputs = (examples: number, T = STEPS) => tensor([examples, T, WIDTH], 3);
const labels = (examples: number) => tensor([examples, OUTPUTS], 7);

/** ∂f_c/∂θ of every example and output, by layer variables in the order of the model's weights: [B·C][P]. */
function jacobian(own: tf.LayersModel, x: tf.Tensor, order: ReadonlyArray<tf.Tensor>): number[][] {
  const rows: number[][] = [];
  tf.tidy(() => {
    for (let b = 0; b < (x.shape[0] as number); b++) {
      for (let c = 0; c < OUTPUTS; c++) {
        const f = () => tf.sum(tf.slice(own.apply(tf.slice(x, b, 1)) as tf.Tensor, [0, c], [1, 1])) as tf.Scalar;
        const { grads } = tf.variableGrads(f, order as tf.Variable[]);
        rows.push(order.flatMap((v) => Array.from((grads[(v as tf.Variable).name] as tf.Tensor).dataSync())));
      }
    }
  });
  return rows;
}

/** The variables of a network's blocks in the order of its weights laid end to end: the bias comes after its kernel. */
function blocksOf(own: tf.LayersModel) {
  const network = right(withBlocks(right(readNetwork(own, GAUSSIAN)), 'all'));
  return { network, order: network.blocks.flatMap(({ map }) => map.variables.map((v) => v.read())) };
}

const gramOf = (rows: number[][]): number[][] => {
  const J = new Matrix(rows);
  return J.transpose().mmul(J).to2DArray();
};

describe.each(CASES)('%s', (_, make) => {
  it('gives what the model gives', () => {
    const own = model(make);
    const { network } = blocksOf(own);
    const x = inputs(3);
    expect(relativeError(forward(network, [x]).outputs, own.predict(x) as tf.Tensor)).toBeLessThan(FLOAT32);
  });

  it('has the whole Fisher matrix of its variables', async () => {
    const own = model(make);
    const { order } = blocksOf(own);
    const x = inputs(3);
    const factors = await pass(own, GAUSSIAN, { x, y: labels(3) }, full(), 2);
    const [layer] = factors.layers;
    expect(relativeError(matricesOf(layer).gradient as never, gramOf(jacobian(own, x, order)))).toBeLessThan(FLOAT32);
  });

  it('has the covariance of its linearised outputs', async () => {
    const own = model(make);
    const { order } = blocksOf(own);
    const data = { x: inputs(3), y: labels(3) };
    const factors = await pass(own, GAUSSIAN, data, diagonal(), 2);
    const posterior = await lastValueFrom(of(factors).pipe(toPosterior({ priorPrecision: 2 })));
    const J = jacobian(own, data.x, order);
    const precision = J[0]?.map((__, p) => 2 + J.reduce((sum, row) => sum + (row[p] as number) ** 2, 0)) as number[];
    const expected = Array.from({ length: 3 }, (__, b) =>
      Array.from({ length: OUTPUTS ** 2 }, (___, k) => {
        const [left, other] = [J[b * OUTPUTS + Math.floor(k / OUTPUTS)], J[b * OUTPUTS + (k % OUTPUTS)]] as [number[], number[]];
        return left.reduce((sum, v, p) => sum + (v * (other[p] as number)) / (precision[p] as number), 0);
      }),
    );
    const { covariance } = await outputDistribution(own, posterior, data.x);
    expect(relativeError(covariance as never, expected)).toBeLessThan(FLOAT32);
  });

  it('a copy takes weights block by block', async () => {
    const own = model(make);
    const { network } = blocksOf(own);
    const copy = await cloneModel(own);
    tf.tidy(() => {
      for (const block of network.blocks) writeBlock(copy, block, tf.mul(blockWeights(block), 2) as tf.Tensor2D);
      own.getWeights().forEach((w, i) => {
        expect(relativeError(copy.getWeights()[i] as tf.Tensor, tf.mul(w, 2))).toBe(0);
      });
    });
  });
});

describe('with independence over time', () => {
  const factorsOf = async (own: tf.LayersModel, x: tf.Tensor, curvature = kfac()): Promise<Factors> =>
    pass(own, GAUSSIAN, { x, y: labels(x.shape[0] as number) }, curvature);

  it.each<[string, Make]>([
    ['SimpleRNN', () => layers.simpleRNN({ units: 3, name: 'cell' })],
    ['LSTM', () => layers.lstm({ units: 2, name: 'cell' })],
  ])('the recurrent block of one example and two steps is exact: %s', async (_, make) => {
    const own = model(make, 2);
    const x = inputs(1, 2);
    const { network, order } = blocksOf(own);
    const factors = await factorsOf(own, x);
    const i = network.blocks.findIndex(({ name }) => name === 'cell/recurrent');
    const layer = factors.layers[i];
    const { input, gradient } = kronecker(layer);
    const square = ({ rows, cols, data }: { rows: number; cols: number; data: Float64Array }) =>
      Matrix.from1DArray(rows, cols, Array.from(data));
    const before = network.blocks.slice(0, i).reduce((sum, { n, m }) => sum + n * m, 0);
    const size = (network.blocks[i]?.n as number) * (network.blocks[i]?.m as number);
    const rows = jacobian(own, x, order).map((row) => row.slice(before, before + size));
    const product = square(input).kroneckerProduct(square(gradient));
    expect(relativeError(product.to2DArray(), gramOf(rows))).toBeLessThan(FLOAT32);
  });

  it('the input sum runs over all steps', async () => {
    const own = model(() => layers.lstm({ units: 2, name: 'cell' }));
    const x = inputs(3);
    const factors = await factorsOf(own, x);
    const [layer] = factors.layers;
    const { input } = kronecker(layer);
    const rows = tf.concat([x, tf.ones([3, STEPS, 1])], 2).reshape([-1, WIDTH + 1]);
    // Sums run over all steps; the mean over them is taken with the one over examples.
    expect(factors.layout.layers[0]?.positions).toBe(STEPS);
    expect(relativeError(input, rows.transpose().matMul(rows))).toBeLessThan(FLOAT32);
  });

  it('the covariance of the linearised outputs is that of the Kronecker blocks', async () => {
    const own = model(() => layers.gru({ units: 2 }), 3);
    const { network, order } = blocksOf(own);
    const x = inputs(2, 3);
    const factors = await factorsOf(own, x);
    const posterior = await lastValueFrom(of(factors).pipe(toPosterior({ priorPrecision: 2 })));
    const J = jacobian(own, x, order);
    const means = right(moments(factors));
    const expected = [0, 1].map(() => new Array<number>(OUTPUTS ** 2).fill(0));
    let start = 0;
    network.blocks.forEach(({ n, m }, i) => {
      const layer = means[i];
      const { input, gradient } = kronecker(layer);
      const [A, G] = [input, gradient].map(({ rows, data }) => Matrix.from1DArray(rows, rows, Array.from(data)));
      const curvature = (A as Matrix).kroneckerProduct(G as Matrix).mul(factors.count);
      const C = inverse(curvature.add(Matrix.eye(n * m).mul(2)));
      expected.forEach((row, b) => {
        const part = new Matrix([0, 1].map((c) => (J[b * OUTPUTS + c] as number[]).slice(start, start + n * m)));
        const added = part.mmul(C).mmul(part.transpose()).to1DArray();
        for (const [k, v] of added.entries()) row[k] = (row[k] as number) + v;
      });
      start += n * m;
    });
    const { covariance } = await outputDistribution(own, posterior, x);
    expect(relativeError(covariance as never, expected)).toBeLessThan(FLOAT32);
  });

  it('rows that are gathered are those that are stacked: truncated', async () => {
    const own = model(() => layers.gru({ units: 2, returnSequences: true }));
    const x = inputs(3);
    const [found, expected] = [
      await factorsOf(own, x, kfac({ fisher: { _tag: 'truncated', tolerance: 1e-9 } })),
      await factorsOf(own, x),
    ];
    found.layers.forEach((layer, i) => {
      const other = kronecker(expected.layers[i]);
      expect(relativeError(kronecker(layer).gradient, other.gradient)).toBeLessThan(FLOAT32);
    });
  });

  it('frees what it makes', async () => {
    const own = model(() => layers.bidirectional({ layer: layers.lstm({ units: 2 }) as never, mergeMode: 'concat' }));
    const data = { x: inputs(3), y: labels(3) };
    await expectNoLeak(() => pass(own, GAUSSIAN, data, kfac()));
  });
});

describe('what is taken as a whole, or not at all', () => {
  const states = (): tf.LayersModel => {
    const input = tf.input({ shape: [STEPS, WIDTH] });
    const [h] = layers.lstm({ units: 2, returnState: true, name: 'cell' }).apply(input) as tf.SymbolicTensor[];
    return tf.model({
      inputs: input,
      outputs: layers.dense({ units: OUTPUTS }).apply(h as tf.SymbolicTensor) as tf.SymbolicTensor,
    });
  };
  const started = (): tf.LayersModel => {
    const input = tf.input({ shape: [STEPS, WIDTH] });
    const start = layers.globalAveragePooling1d({}).apply(input) as tf.SymbolicTensor;
    const h = layers.gru({ units: 2, name: 'cell' }).apply(input, { initialState: [start] } as never) as tf.SymbolicTensor;
    return tf.model({ inputs: input, outputs: layers.dense({ units: OUTPUTS }).apply(h) as tf.SymbolicTensor });
  };
  const convolutional = (): tf.LayersModel =>
    tf.sequential({
      layers: [
        layers.convLstm2d({ filters: 1, kernelSize: 2, inputShape: [2, 3, 3, 1], name: 'cell' } as never) as tf.layers.Layer,
        layers.flatten(),
        layers.dense({ units: OUTPUTS }),
      ],
    });
  it.each<[string, () => tf.LayersModel, string, number[]]>([
    ['an unknown number of steps', () => model(() => layers.lstm({ units: 2, name: 'cell' }), null), 'unknown length', [4, 2]],
    ['one step', () => model(() => layers.gru({ units: 2, name: 'cell' }), 1), 'one step', [1, 2]],
    ['states among the outputs', states, 'states', [4, 2]],
    ['states among the inputs', started, 'states', [4, 2]],
    ['convolutions over time', convolutional, 'ConvLSTM2DCell', [2, 3, 3, 1]],
  ])('%s', async (_, make, reason, shape) => {
    const own = make();
    const network = right(readNetwork(own, GAUSSIAN));
    expect(withBlocks(network, 'all')).toMatchObject({
      left: { kind: 'UnsupportedLayer' as LaplaceErrorKind, layer: 'cell', found: expect.stringContaining(reason) },
    });
    // Left at its MAP, the rest has its blocks, and the network computes the same.
    const rest = right(withBlocks(network, 'all', 'map'));
    expect(rest.blocks.map(({ layer }) => layer.getClassName())).toEqual(['Dense']);
    const x = tensor([2, ...shape], 3);
    expect(relativeError(forward(rest, [x]).outputs, own.predict(x) as tf.Tensor)).toBeLessThan(FLOAT32);
  });

  it('states that are kept from batch to batch', () => {
    const own = tf.sequential({
      layers: [
        layers.lstm({ units: 2, stateful: true, batchInputShape: [2, STEPS, WIDTH], name: 'cell' }),
        layers.dense({ units: OUTPUTS }),
      ],
    });
    expect(readNetwork(own, GAUSSIAN)).toMatchObject({ left: { kind: 'InvalidModel', layer: 'cell' } });
  });
});
