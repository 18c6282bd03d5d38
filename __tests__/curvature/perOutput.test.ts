/** The share of each output in the curvature: what it is by itself, that all add up, and that merging and chunks change nothing. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Coverage,
  type Curvature,
  coverage,
  diagonal,
  ekfac,
  emptyFactors,
  type Factors,
  finalEpochs,
  full,
  gaussian,
  kfac,
  type Matrix,
  merge,
  mergeEpochs,
  observe,
  perStep,
} from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { matricesOf, pass } from '../support/factors.js';
import { dataFor, factorsOf, kindOf, right } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { chain, dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const NOISE = [0.2, 0.5, 3];
/** So large that an output of this noise adds nothing that float32 could show. */
const NONE = 1e12;
const N = 9;

const CURVATURES: ReadonlyArray<readonly [string, Curvature, Curvature]> = [
  ['kfac', kfac(), kfac({ noise: 'perOutput' })],
  ['kfac, reduced', kfac({ weightSharing: 'reduce' }), kfac({ weightSharing: 'reduce', noise: 'perOutput' })],
  ['the last layer', kfac({ layers: 'last' }), kfac({ layers: 'last', noise: 'perOutput' })],
  ['diagonal', diagonal(), diagonal({ noise: 'perOutput' })],
  ['full', full(), full({ noise: 'perOutput' })],
];

/** The sum of the gradient side of each layer. */
const gradientSides = ({ layers }: Factors): Matrix[] =>
  layers.map((layer) => {
    const { gradient, squares } = matricesOf(layer);
    return (gradient ?? squares) as Matrix;
  });

const total = (factors: Factors): number[][] =>
  gradientSides(factors).map(({ data }, l) =>
    Array.from(data, (_, i) => (factors.shares ?? []).reduce((sum, own) => sum + (own.layers[l]?.data[i] as number), 0)),
  );

let model: tf.LayersModel;
beforeAll(() => {
  model = chain([4, 3]);
});

describe.each(CURVATURES)('%s', (_, shared, separate) => {
  it('has shares that add up to the factors without them', async () => {
    const data = dataFor(model, gaussian(), N);
    const [plain, own] = [
      await factorsOf(model, gaussian({ noiseVariance: NOISE }), data, shared),
      await factorsOf(model, gaussian({ noiseVariance: NOISE }), data, separate),
    ];
    expect(plain.shares).toBeUndefined();
    expect(own.shares).toHaveLength(3);
    expect(relativeError(total(own), gradientSides(own))).toBeLessThan(1e-14);
    plain.layers.forEach((layer, l) => {
      for (const [part, sum] of Object.entries(matricesOf(layer)))
        expect(relativeError(matricesOf(own.layers[l])[part] as Matrix, sum)).toBeLessThan(FLOAT32);
    });
    expect(own.logLikelihood).toBe(plain.logLikelihood);
  });

  it('has for each output what is left if all other outputs are nothing but noise', async () => {
    const data = dataFor(model, gaussian(), N);
    const own = await factorsOf(model, gaussian({ noiseVariance: NOISE }), data, separate);
    for (const c of NOISE.keys()) {
      const alone = await factorsOf(model, gaussian({ noiseVariance: NOISE.map((v, i) => (i === c ? v : NONE)) }), data, shared);
      expect(relativeError([...(own.shares?.[c]?.layers ?? [])] as never, gradientSides(alone))).toBeLessThan(FLOAT32);
    }
  });

  it('has the squared errors of each output', async () => {
    const { x, y, targets } = dataFor(model, gaussian(), N);
    const own = await factorsOf(model, gaussian({ noiseVariance: NOISE }), { x, y }, separate);
    const f = (model.predict(x) as tf.Tensor2D).arraySync();
    NOISE.forEach((variance, c) => {
      const expected = f.reduce((sum, row, b) => sum + ((row[c] as number) - (targets[b]?.[c] as number)) ** 2 / variance, 0);
      expect(relativeError(own.shares?.[c]?.squares as number, expected)).toBeLessThan(FLOAT32);
    });
  });

  it('merges shares as it merges sums, with nothing as the neutral element', async () => {
    const likelihood = gaussian({ noiseVariance: NOISE });
    const [a, b] = [
      await factorsOf(model, likelihood, dataFor(model, likelihood, 5, 1), separate),
      await factorsOf(model, likelihood, dataFor(model, likelihood, 4, 2), separate),
    ];
    const sum = right(merge(a, b));
    expect(relativeError(total(sum), gradientSides(sum))).toBeLessThan(1e-14);
    sum.shares?.forEach(({ squares }, c) => {
      expect(squares).toBe((a.shares?.[c]?.squares as number) + (b.shares?.[c]?.squares as number));
    });
    expect(right(merge(emptyFactors(a.layout, a.fingerprint, a.weights), a))).toEqual(a);
    expect(right(mergeEpochs(a, b)).shares).toEqual(sum.shares);
  });

  it('refuses to merge with factors that have no shares', async () => {
    const data = dataFor(model, gaussian(), N);
    const [a, b] = [await factorsOf(model, gaussian(), data, separate), await factorsOf(model, gaussian(), data, shared)];
    expect(kindOf(merge(a, b))).toBe('Mismatch');
  });
});

it('is the same for one noise of all outputs', async () => {
  const data = dataFor(model, gaussian(), N);
  const [one, many] = [
    await factorsOf(model, gaussian({ noiseVariance: 0.5 }), data, kfac({ noise: 'perOutput' })),
    await factorsOf(model, gaussian({ noiseVariance: [0.5, 0.5, 0.5] }), data, kfac({ noise: 'perOutput' })),
  ];
  expect(one.shares).toEqual(many.shares);
});

it('counts examples as often as their weights say', async () => {
  const x = inputsFor(model, 3, 6)[0] as tf.Tensor;
  const y = tf.tensor2d(take(9, normalSource(4)), [3, 3]);
  const likelihood = gaussian({ noiseVariance: NOISE });
  const weighted = await pass(model, likelihood, { x, y, weights: tf.tensor1d([1, 2, 0]) }, kfac({ noise: 'perOutput' }));
  const [twice, labels] = [tf.gather(x, [0, 1, 1]), tf.gather(y, [0, 1, 1])];
  const repeated = await pass(model, likelihood, { x: twice, y: labels }, kfac({ noise: 'perOutput' }));
  weighted.shares?.forEach((own, c) => {
    const other = repeated.shares?.[c];
    expect(relativeError(own.squares, other?.squares as number)).toBeLessThan(FLOAT32);
    expect(relativeError([...own.layers] as never, [...(other?.layers ?? [])])).toBeLessThan(FLOAT32);
  });
});

it('takes the steps of a sequence together, for each output of a step', async () => {
  const steps = withWeights(
    functional([4, 2], (x) => on(dense(2, { activation: 'linear' }), on(dense(3), x))),
    7,
  );
  const x = inputsFor(steps, 5, 3)[0] as tf.Tensor;
  const y = tf.tensor(take(5 * 4 * 2, normalSource(4)), [5, 4, 2]);
  const own = await pass(steps, perStep(gaussian({ noiseVariance: [0.2, 3] })), { x, y }, kfac({ noise: 'perOutput' }));
  expect(own.shares).toHaveLength(2);
  expect(relativeError(total(own), gradientSides(own))).toBeLessThan(1e-14);
  for (const c of [0, 1]) {
    const noiseVariance = [0.2, 3].map((v, i) => (i === c ? v : NONE));
    const alone = await pass(steps, perStep(gaussian({ noiseVariance })), { x, y }, kfac());
    expect(relativeError([...(own.shares?.[c]?.layers ?? [])] as never, gradientSides(alone))).toBeLessThan(FLOAT32);
    expect(own.shares?.[c]?.squares).toBeGreaterThan(0);
  }
});

const small = (body: Parameters<typeof functional>[1], shape: number[]) => withWeights(functional(shape, body), 7);

it.each([
  [
    'a depthwise convolution',
    () => small((x) => on(dense(3), on(tf.layers.flatten(), on(tf.layers.depthwiseConv2d({ kernelSize: 2 }), x))), [3, 3, 2]),
  ],
  [
    'a convolution',
    () => small((x) => on(dense(3), on(tf.layers.flatten(), on(tf.layers.conv2d({ filters: 2, kernelSize: 2 }), x))), [3, 3, 1]),
  ],
  [
    'a normalisation',
    () => small((x) => on(dense(3), on(tf.layers.layerNormalization(), on(dense(4, { activation: 'tanh' }), x))), [3]),
  ],
])('has the shares of %s', async (_, create) => {
  const own = create();
  const likelihood = gaussian({ noiseVariance: NOISE });
  const data = dataFor(own, likelihood, 5);
  const separate = await factorsOf(own, likelihood, data, kfac({ noise: 'perOutput' }));
  const plain = await factorsOf(own, likelihood, data, kfac());
  expect(relativeError(total(separate), gradientSides(separate))).toBeLessThan(1e-14);
  expect(relativeError(gradientSides(separate), gradientSides(plain))).toBeLessThan(FLOAT32);
});

it('has the shares of an embedding', async () => {
  const own = small(
    (x) => on(dense(3), on(tf.layers.globalAveragePooling1d({}), on(tf.layers.embedding({ inputDim: 5, outputDim: 2 }), x))),
    [4],
  );
  const data = {
    x: tf.tensor2d(
      [
        [0, 1, 2, 4],
        [3, 3, 0, 1],
      ],
      [2, 4],
      'int32',
    ),
    y: tf.tensor2d([
      [1, 2, 0],
      [0, 1, 1],
    ]),
  };
  const separate = await pass(own, gaussian({ noiseVariance: NOISE }), data, kfac({ noise: 'perOutput' }));
  expect(
    relativeError(gradientSides(separate), gradientSides(await pass(own, gaussian({ noiseVariance: NOISE }), data))),
  ).toBeLessThan(FLOAT32);
});

it('is the same in one large batch, whose columns are cut into chunks', async () => {
  // A chunk has at most 2²⁴ numbers: 4096 examples of 64² numbers.
  const [B, C] = [4200, 64];
  const own = small((x) => on(dense(C), x), [2]);
  const data = { x: tf.randomNormal([B, 2], 0, 1, 'float32', 3), y: tf.randomNormal([B, C], 0, 1, 'float32', 4) };
  const whole = await pass(own, gaussian(), data, kfac({ noise: 'perOutput' }), B);
  const parts = await pass(own, gaussian(), data, kfac({ noise: 'perOutput' }), 300);
  for (const c of [0, 63]) {
    expect(relativeError([...(whole.shares?.[c]?.layers ?? [])], [...(parts.shares?.[c]?.layers ?? [])])).toBeLessThan(FLOAT32);
  }
});

it('is counted by coverage: rows for each output, and a gradient side for each', async () => {
  const own = small((x) => on(dense(3), x), [2]);
  const [plain, separate] = [kfac(), kfac({ noise: 'perOutput' })].map((curvature) =>
    right(coverage(own, { likelihood: gaussian(), curvature })),
  ) as [Coverage, Coverage];
  expect([plain.rowsPerExample, separate.rowsPerExample]).toEqual([0, 3]);
  // A [3, 3], with the bias, and G [3, 3].
  expect([plain.bytes, separate.bytes]).toEqual([8 * (9 + 9), 8 * (9 + 3 * 9)]);
  expect(kindOf(coverage(own, { likelihood: 'poisson', curvature: kfac({ noise: 'perOutput' }) }))).toBe('InvalidOption');
});

it('is kept by the training callback, over several epochs', async () => {
  const own = small((x) => on(dense(2), on(dense(3, { activation: 'tanh' }), x)), [2]);
  own.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
  const callback = laplaceCallback({
    likelihood: gaussian({ noiseVariance: 1 }),
    curvature: kfac({ noise: 'perOutput' }),
    epochs: finalEpochs(2),
  });
  const [x, y] = [tf.randomNormal([20, 2], 0, 1, 'float32', 3), tf.randomNormal([20, 2], 0, 1, 'float32', 4)];
  await own.fit(x, y, { epochs: 3, batchSize: 8, verbose: 0, callbacks: callback });
  const factors = await lastValueFrom(callback.factors$);
  expect(factors.shares).toHaveLength(2);
  expect(relativeError(total(factors), gradientSides(factors))).toBeLessThan(1e-14);
  expect(factors.count).toBe(40);
});

it('has the shares of ekfac along its own directions', async () => {
  const data = dataFor(model, gaussian(), N);
  const own = await factorsOf(model, gaussian({ noiseVariance: NOISE }), data, ekfac({ noise: 'perOutput' }));
  const plain = await factorsOf(model, gaussian({ noiseVariance: NOISE }), data, ekfac());
  expect(relativeError(total(own), gradientSides(own))).toBeLessThan(1e-14);
  expect(relativeError(gradientSides(own) as never, gradientSides(plain))).toBeLessThan(FLOAT32);
});

describe('refuses', () => {
  const failed = async (curvature: Curvature, likelihood: Parameters<typeof observe>[1]): Promise<unknown> => {
    const { x } = dataFor(model, gaussian(), 4);
    const data = { x: x[0] as tf.Tensor, y: tf.zeros([4, 3]) };
    return lastValueFrom(from(batches(data, 4)).pipe(observe(model, likelihood), accumulateFactors(curvature))).catch(
      (error: unknown) => error,
    );
  };
  it.each(['empirical', 'monteCarlo', 'truncated'] as const)(
    'the %s Fisher matrix, which has no row for each output',
    async (fisher) => {
      expect(
        await failed(kfac({ fisher: fisher === 'empirical' ? fisher : { _tag: fisher }, noise: 'perOutput' }), gaussian()),
      ).toMatchObject({
        kind: 'InvalidOption',
        message: expect.stringContaining(fisher),
      });
    },
  );
  it('a likelihood without a noise variance', async () => {
    expect(await failed(kfac({ noise: 'perOutput' }), 'poisson')).toMatchObject({
      kind: 'InvalidOption',
      message: expect.stringContaining('poisson'),
    });
  });
  it('a word that it does not know', () => {
    expect(E.isLeft(E.tryCatch(() => kfac({ noise: 'each' as never }), String))).toBe(true);
  });
});

it('leaves nothing on the device', async () => {
  const data = dataFor(model, gaussian(), N);
  await factorsOf(model, gaussian(), data, kfac({ noise: 'perOutput' }));
  const { numTensors } = tf.memory();
  await factorsOf(model, gaussian(), data, kfac({ noise: 'perOutput' }));
  expect(tf.memory().numTensors).toBe(numTensors);
});
