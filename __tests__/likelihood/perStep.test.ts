/** Likelihoods of sequences: each step's own likelihood, put together by hand, with and without steps that are left out. */

import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import {
  activationSampling,
  bernoulli,
  categorical,
  gaussian,
  heteroscedastic,
  linearised,
  perStep,
  poisson,
  type StepLikelihood,
} from 'tfjs-laplace';
import { readNetwork } from 'tfjs-laplace/extend';
import { likelihoodOps } from '../../src/likelihood/index.js';
import { key } from '../../src/random/key.js';
import { kronecker } from '../support/kronecker.js';
import { factorsOf, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { gradient, hessian, negativeLogLikelihood } from '../support/math/likelihoods64.js';
import { missedBy, normalSource, STANDARD_ERRORS, take } from '../support/math/monteCarlo.js';
import { chain, inputsFor, withWeights } from '../support/math/networks.js';
import { FLOAT32, inRows, relativeError } from '../support/math/numbers.js';

const PAD = -1;
const [B, S] = [2, 3];

/** Labels [B][S][T] for the definitions, the same as a user writes them, with padding at steps (0, 2) and (1, 0). */
const COUNTED = [
  [1, 1, 0],
  [0, 1, 1],
];
const at = <T>(values: ReadonlyArray<ReadonlyArray<T>>): T[][] => values.map((row) => [...row]);

const oneHot = (k: number, C: number): number[] => Array.from({ length: C }, (_, c) => (c === k ? 1 : 0));
const CLASSES = [
  [2, 0, PAD],
  [PAD, 1, 2],
];
const NUMBERS = [
  [
    [0.5, -1],
    [2, 0],
    [PAD, PAD],
  ],
  [
    [PAD, PAD],
    [PAD, 1],
    [0, 3],
  ],
];

/** Name, likelihood, outputs of a step, labels as written, and rows for the definitions. */
const CASES: ReadonlyArray<readonly [string, StepLikelihood, C: number, labels: tf.TensorLike, rows: number[][][]]> = [
  ['class numbers', categorical(), 3, CLASSES, at(CLASSES).map((row) => row.map((k) => oneHot(k, 3)))],
  [
    'one-hot classes',
    categorical({ labelSmoothing: 0.1 }),
    3,
    CLASSES.map((row) => row.map((k) => (k === PAD ? [PAD, PAD, PAD] : oneHot(k, 3)))),
    CLASSES.map((row) => row.map((k) => oneHot(k, 3))),
  ],
  [
    'bits',
    bernoulli(),
    1,
    [
      [1, 0, PAD],
      [PAD, 1, 1],
    ],
    [
      [[1], [0], [0]],
      [[0], [1], [1]],
    ],
  ],
  ['numbers', gaussian({ noiseVariance: [0.3, 4] }), 2, NUMBERS, NUMBERS],
  ['numbers with their noise', heteroscedastic(), 4, NUMBERS, NUMBERS],
  [
    'counts',
    poisson(),
    1,
    [
      [1, 0, PAD],
      [PAD, 20, 3],
    ],
    [
      [[1], [0], [0]],
      [[0], [20], [3]],
    ],
  ],
];

describe.each(CASES)('%s', (_, each, C, labels, rows) => {
  const ops = likelihoodOps(perStep(each, { ignoreLabel: PAD }), C);
  const f = inRows(take(B * S * C, normalSource(3)), S * C);
  const stepsOf = (row: number[]): number[][] => inRows(row, C);
  const onDevice = () => ({ f: tf.tensor2d(f), targets: ops.targets(tf.tensor(labels), S * C) });
  const counts = (b: number, s: number): number => COUNTED[b]?.[s] as number;

  it('takes the labels, padding and all', () => {
    const y = tf.tensor(labels);
    expect(ops.labelShapeFits(y.shape, B, S * C)).toBe(true);
    expect(ops.labelShapeFits([B, S + 1, ...y.shape.slice(2)], B, S * C)).toBe(false);
    expect(ops.labelShapeFits(y.shape, B + 1, S * C)).toBe(false);
    expect(ops.labelsInRange(y, S * C).dataSync()[0]).toBe(1);
  });

  it('sums log-likelihoods and lines up gradients of the steps that count', () => {
    const { f: outputs, targets } = onDevice();
    const values = f.map((row, b) =>
      stepsOf(row).reduce((sum, own, s) => sum - counts(b, s) * negativeLogLikelihood(each, own, rows[b]?.[s] as number[]), 0),
    );
    expect(relativeError(ops.logLikelihoods(outputs, targets), values)).toBeLessThan(FLOAT32);
    const gradients = f.map((row, b) =>
      stepsOf(row).map((own, s) => gradient(each, own, rows[b]?.[s] as number[]).map((v) => v * counts(b, s))),
    );
    expect(relativeError(ops.gradient(outputs, targets), gradients)).toBeLessThan(FLOAT32);
  });

  it('has a Hessian that is block-diagonal over steps, 0 for those that do not count', () => {
    const { f: outputs, targets } = onDevice();
    const root = ops.hessianRoot(outputs, targets);
    const columns = tf.transpose(root, [1, 2, 0]);
    const expected = f.map((row, b) =>
      blockDiagonal(stepsOf(row).map((own, s) => hessian(each, own).map((r) => r.map((v) => v * counts(b, s))))),
    );
    expect(relativeError(tf.matMul(columns, columns, false, true), expected)).toBeLessThan(FLOAT32);
  });

  it('draws gradients whose second moment is that Hessian', () => {
    const { f: outputs, targets } = onDevice();
    const draws = 2000;
    const flat = ops.sampledGradient(outputs, key(5), draws, targets).dataSync();
    const N = S * C;
    f.forEach((row, b) => {
      const own = Array.from({ length: draws }, (_, d) => Array.from(flat.subarray((d * B + b) * N, (d * B + b + 1) * N)));
      const products = own.map((g) => g.flatMap((v) => g.map((w) => v * w)));
      const expected = blockDiagonal(stepsOf(row).map((o, s) => hessian(each, o).map((r) => r.map((v) => v * counts(b, s)))));
      expect(missedBy(products, expected.flat())).toBeLessThan(STANDARD_ERRORS);
    });
  });
});

it('knows labels out of range in the steps that count, and takes none for padding unless told to', () => {
  const inRange = (labels: number[][], ignoreLabel?: number) =>
    likelihoodOps(perStep(categorical(), ignoreLabel === undefined ? {} : { ignoreLabel }), 3)
      .labelsInRange(tf.tensor2d(labels), 9)
      .dataSync()[0];
  expect(inRange(CLASSES, PAD)).toBe(1);
  expect(inRange(CLASSES)).toBe(0);
  expect(inRange([[2, 3, PAD]], PAD)).toBe(0);
});

it('weighs steps by their class', () => {
  const plain = likelihoodOps(perStep(categorical()), 3);
  const ops = likelihoodOps(perStep(categorical({ classWeights: [0, 1, 4] })), 3);
  const f = tf.tensor2d(inRows(take(9, normalSource(3)), 9));
  const weights = tf.tensor3d([[[4], [1], [0]]]);
  const [targets, own] = [plain, ops].map((o) => o.targets(tf.tensor2d([[2, 1, 0]]), 9)) as [tf.Tensor2D, tf.Tensor2D];
  const expected = tf.mul(tf.reshape(plain.gradient(f, targets), [1, 3, 3]), weights);
  expect(relativeError(ops.gradient(f, own), expected)).toBeLessThan(FLOAT32);
  const trace = (t: tf.Tensor) => tf.sum(tf.square(tf.reshape(t, [9, 1, 3, 3])), [0, 3]);
  expect(
    relativeError(trace(ops.hessianRoot(f, own)), tf.mul(trace(plain.hessianRoot(f, targets)), tf.reshape(weights, [1, 3]))),
  ).toBeLessThan(FLOAT32);
});

it.each([
  ['categoricalCrossentropy', categorical(), 3, 'softmax'],
  ['meanSquaredError', gaussian({ noiseVariance: 0.3 }), 2, 'linear'],
] as const)('lists the losses of tfjs by their factor for outputs of all steps: %s', (name, each, C, activation) => {
  const ops = likelihoodOps(perStep(each), C);
  const rule = ops.losses.find((r) => r.loss === name);
  const inputs = tf.input({ shape: [S, C] });
  const model = tf.model({ inputs, outputs: tf.layers.activation({ activation }).apply(inputs) as tf.SymbolicTensor });
  model.compile({ optimizer: 'sgd', loss: name });
  const { lossFunctions } = model as unknown as { lossFunctions: [(y: tf.Tensor, outputs: tf.Tensor) => tf.Tensor] };
  const f = tf.tensor3d(take(B * S * C, normalSource(4)), [B, S, C]);
  const y = tf.cast(
    tf.oneHot(
      tf.tensor2d(
        [
          [0, 1, 1],
          [1, 0, 0],
        ],
        [B, S],
        'int32',
      ),
      C,
    ),
    'float32',
  );
  // The training loss is a mean over examples and steps.
  const trained = tf.grad((t) => tf.mean(lossFunctions[0](y, model.apply(t) as tf.Tensor)))(f);
  const expected = ops.gradient(tf.reshape(f, [B, S * C]), ops.targets(y, S * C));
  expect(relativeError(tf.mul(trained, B * (rule?.scale(S * C) as number)), expected)).toBeLessThan(FLOAT32);
  expect(likelihoodOps(perStep(each, { ignoreLabel: PAD }), C).losses).toEqual([]);
});

describe('a model of sequences', () => {
  /** Two dense layers and a reshape: outputs [B, 3, 2]. */
  const build = (activation: 'linear' | 'softmax' = 'linear') => {
    const reshape = tf.layers.reshape({ targetShape: [3, 2] });
    const layers = [tf.layers.dense({ units: 4, inputShape: [3], activation: 'tanh' }), tf.layers.dense({ units: 6 }), reshape];
    const model = tf.sequential({ layers: [...layers, tf.layers.activation({ activation })] });
    return withWeights(model, 2);
  };
  const x = (model: tf.LayersModel) => inputsFor(model, 4, 3);
  const labels = [
    [1, 0, PAD],
    [0, PAD, PAD],
    [1, 1, 1],
    [0, 1, 0],
  ];

  it('has the factors of its examples with their steps taken apart, whose rows of padding are left out', async () => {
    const model = build();
    const found = await factorsOf(model, perStep(categorical(), { ignoreLabel: PAD }), { x: x(model), y: tf.tensor2d(labels) });
    // The same from definitions: λ at each step that counts, through the Jacobian of z, which here is the identity.
    const f = tf.reshape(model.predict(x(model)[0] as tf.Tensor) as tf.Tensor, [4, 6]).arraySync() as number[][];
    const G = f
      .map((row, b) =>
        blockDiagonal(
          inRows(row, 2).map((own, s) => hessian(categorical(), own).map((r) => r.map((v) => (labels[b]?.[s] === PAD ? 0 : v)))),
        ),
      )
      .reduce((sum, block) => sum.map((r, i) => r.map((v, j) => v + (block[i]?.[j] as number))));
    expect(relativeError(kronecker(found.layers[1]).gradient, G)).toBeLessThan(FLOAT32);
    const logLikelihood = f.reduce(
      (sum, row, b) =>
        inRows(row, 2).reduce((total, own, s) => {
          const k = labels[b]?.[s] as number;
          return k === PAD ? total : total - negativeLogLikelihood(categorical(), own, oneHot(k, 2));
        }, sum),
      0,
    );
    expect(found.logLikelihood).toBeCloseTo(logLikelihood, 4);
  });

  it.each([linearised(), activationSampling({ samples: 4 })])(
    'has a row for every step in its predictions: $_tag',
    async (predictive) => {
      const model = build('softmax');
      const factors = await factorsOf(model, perStep(categorical(), { ignoreLabel: PAD }), {
        x: x(model),
        y: tf.tensor2d(labels),
      });
      const posterior = await posteriorFrom(factors, { priorPrecision: 1e9 });
      const found = await predictOne(model, posterior, predictive, x(model)[0] as tf.Tensor);
      // Under a prior this strong the posterior is the model itself, up to variances of 1e-9.
      const expected = model.predict(x(model)[0] as tf.Tensor) as tf.Tensor;
      if (found._tag !== 'classification') throw new Error('expected a classification');
      expect([found.probabilities.length, found.entropy.length]).toEqual([12, 12]);
      expect(relativeError(found.probabilities, expected)).toBeLessThan(1e-3);
    },
  );

  it.each([linearised(), activationSampling({ samples: 4 })])(
    'has a row for every step of a regression: $_tag',
    async (predictive) => {
      const model = build();
      const likelihood = perStep(heteroscedastic());
      const factors = await factorsOf(model, likelihood, { x: x(model), y: tf.zeros([4, 3]) });
      const found = await predictOne(
        model,
        await posteriorFrom(factors, { priorPrecision: 1e9 }),
        predictive,
        x(model)[0] as tf.Tensor,
      );
      const f = tf.reshape(model.predict(x(model)[0] as tf.Tensor) as tf.Tensor, [12, 2]);
      if (found._tag !== 'regression') throw new Error('expected a regression');
      expect(relativeError(found.mean, tf.slice(f, [0, 0], [12, 1]))).toBeLessThan(1e-3);
      expect(relativeError(found.noiseVariance, tf.exp(tf.slice(f, [0, 1], [12, 1])))).toBeLessThan(1e-3);
    },
  );

  it('is asked for by that name, and not without steps', () => {
    const error = (value: E.Either<unknown, unknown>) => (E.isLeft(value) ? value.left : undefined);
    expect(error(readNetwork(build(), categorical()))).toMatchObject({
      kind: 'InvalidModel',
      found: 'shape [B, 3, 2]',
      remedy: expect.stringContaining('perStep()'),
    });
    expect(error(readNetwork(chain([2]), perStep(categorical())))).toMatchObject({
      kind: 'InvalidModel',
      expected: '[B, S, C], S known, with C >= 2',
    });
  });
});

function blockDiagonal(blocks: number[][][]): number[][] {
  const C = blocks[0]?.length as number;
  return blocks.flatMap((block, s) =>
    block.map((row) =>
      Array.from({ length: C * blocks.length }, (_, j) => (Math.floor(j / C) === s ? (row[j % C] as number) : 0)),
    ),
  );
}
