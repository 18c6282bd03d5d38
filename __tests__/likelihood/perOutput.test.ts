/** Likelihoods of several outputs: each output's own definition, put together by hand, with and without weights of classes. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, customLikelihood, gaussian, type OutputLikelihood, perStep, poisson } from 'tfjs-laplace';
import { likelihoodOps, modelLikelihoodOps } from '../../src/likelihood/index.js';
import { key } from '../../src/random/key.js';
import { gradient, hessian, negativeLogLikelihood } from '../support/math/likelihoods64.js';
import { missedBy, normalSource, STANDARD_ERRORS, take } from '../support/math/monteCarlo.js';
import { FLOAT32, inRows, relativeError } from '../support/math/numbers.js';

const B = 3;

interface OfOutput {
  readonly likelihood: OutputLikelihood;
  readonly C: number;
  readonly labels: tf.TensorLike;
  /** For the definitions. */
  readonly rows: number[][];
  /** By the label's class. */
  readonly weights?: number[];
}

const CLASSES: OfOutput = {
  likelihood: categorical(),
  C: 3,
  labels: [2, 0, 1],
  rows: [
    [0, 0, 1],
    [1, 0, 0],
    [0, 1, 0],
  ],
};
const WEIGHTED: OfOutput = { ...CLASSES, likelihood: categorical({ classWeights: [0, 1, 4] }), weights: [4, 0, 1] };
const NUMBERS: OfOutput = { likelihood: gaussian({ noiseVariance: 0.3 }), C: 1, labels: [1, -2, 0.5], rows: [[1], [-2], [0.5]] };
const COUNTS: OfOutput = {
  likelihood: poisson(),
  C: 2,
  labels: [
    [0, 3],
    [20, 1],
    [2, 2],
  ],
  rows: [
    [0, 3],
    [20, 1],
    [2, 2],
  ],
};
const COIN: OfOutput = {
  likelihood: bernoulli({ classWeights: [1, 3] }),
  C: 1,
  labels: [1, 0, 1],
  rows: [[1], [0], [1]],
  weights: [3, 1, 3],
};

const CASES: ReadonlyArray<readonly [string, ReadonlyArray<OfOutput>]> = [
  ['classes and numbers', [CLASSES, NUMBERS]],
  ['counts and classes', [COUNTS, CLASSES]],
  ['weighted classes, numbers, a weighted label', [WEIGHTED, NUMBERS, COIN]],
];

const partsOf = (outputs: ReadonlyArray<OfOutput>) =>
  outputs.map(({ likelihood, C }) => ({ ops: likelihoodOps(likelihood, C), outputs: C }));

/** Places the blocks on a diagonal. */
function blockDiagonal(blocks: ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>): number[][] {
  const C = blocks.reduce((sum, block) => sum + block.length, 0);
  return blocks.flatMap((block, i) => {
    const before = blocks.slice(0, i).reduce((sum, other) => sum + other.length, 0);
    return block.map((row) => Array.from({ length: C }, (_, j) => row[j - before] ?? 0));
  });
}

describe.each(CASES)('%s', (_, outputs) => {
  const ops = modelLikelihoodOps(partsOf(outputs));
  const C = outputs.reduce((sum, own) => sum + own.C, 0);
  const f = inRows(take(B * C, normalSource(3)), C);
  const onDevice = () => ({ f: tf.tensor2d(f), targets: ops.targets(outputs.map(({ labels }) => tf.tensor(labels))) });
  /** Something of every output of example b. */
  const each = <A>(b: number, of: (own: OfOutput, f: number[], y: number[], weight: number) => A): A[] => {
    let first = 0;
    return outputs.map((own) => {
      const part = (f[b] as number[]).slice(first, first + own.C);
      first += own.C;
      return of(own, part, own.rows[b] as number[], own.weights?.[b] ?? 1);
    });
  };
  const examples = <A>(of: (b: number) => A): A[] => Array.from({ length: B }, (_, b) => of(b));
  const lambda = (b: number): number[][] =>
    blockDiagonal(each(b, ({ likelihood }, own, __, w) => hessian(likelihood, own).map((row) => row.map((v) => w * v))));

  it('sums the log-likelihoods, each with its weight, and lines up the gradients', () => {
    const { f: outputsOf, targets } = onDevice();
    const values = examples((b) =>
      each(b, ({ likelihood }, own, y, w) => -w * negativeLogLikelihood(likelihood, own, y)).reduce((sum, v) => sum + v),
    );
    expect(relativeError(ops.logLikelihoods(outputsOf, targets), values)).toBeLessThan(FLOAT32);
    const gradients = examples((b) =>
      each(b, ({ likelihood }, own, y, w) => gradient(likelihood, own, y).map((v) => w * v)).flat(),
    );
    expect(relativeError(ops.gradient(outputsOf, targets), gradients)).toBeLessThan(FLOAT32);
  });

  it('has a Hessian that is block-diagonal over outputs', () => {
    const { f: outputsOf, targets } = onDevice();
    const columns = tf.transpose(ops.hessianRoot(outputsOf, targets), [1, 2, 0]);
    expect(relativeError(tf.matMul(columns, columns, false, true), examples(lambda))).toBeLessThan(FLOAT32);
  });

  it('draws gradients whose second moment is that Hessian: outputs are drawn independently', () => {
    const { f: outputsOf, targets } = onDevice();
    const draws = 2000;
    const flat = ops.sampledGradient(outputsOf, key(5), draws, targets).dataSync();
    for (let b = 0; b < B; b++) {
      const own = Array.from({ length: draws }, (_, d) => Array.from(flat.subarray((d * B + b) * C, (d * B + b + 1) * C)));
      const products = own.map((g) => g.flatMap((v) => g.map((w) => v * w)));
      expect(missedBy(products, lambda(b).flat())).toBeLessThan(STANDARD_ERRORS);
    }
  });
});

it('of a single output is its own likelihood, weights of examples and all', () => {
  const own = likelihoodOps(WEIGHTED.likelihood, 3);
  const ops = modelLikelihoodOps(partsOf([WEIGHTED]));
  const y = tf.tensor(WEIGHTED.labels);
  const targets = ops.targets([y]);
  expect(relativeError(targets, own.targets(y, 3))).toBe(0);
  expect(Array.from(ops.weights?.(targets).dataSync() ?? [])).toEqual([4, 0, 1]);
});

it('has steps, and one likelihood with labels of a width that only they say', () => {
  const seen: number[][] = [];
  const own = customLikelihood({
    name: 'own',
    nll: (f, y) => {
      seen.push(y.shape);
      return tf.sum(tf.squaredDifference(tf.sum(f, 1, true), tf.sum(y, 1, true)), 1) as tf.Tensor1D;
    },
    hessianRoot: (f) => tf.expandDims(tf.onesLike(f), 0),
  });
  const steps = perStep(categorical(), { ignoreLabel: -1 });
  const ops = modelLikelihoodOps([
    { ops: likelihoodOps(steps, 2), outputs: 4 },
    { ops: likelihoodOps(own, 2), outputs: 2 },
    ...partsOf([NUMBERS]),
  ]);
  const f = tf.tensor2d(inRows(take(2 * 7, normalSource(3)), 7));
  const labels = [
    tf.tensor2d([
      [0, -1],
      [1, 1],
    ]),
    tf.ones([2, 5]),
    tf.zeros([2, 1]),
  ];
  const targets = ops.targets(labels);
  const parts = [f.slice([0, 0], [2, 4]), f.slice([0, 4], [2, 2]), f.slice([0, 6], [2, 1])] as tf.Tensor2D[];
  const expected = [steps, own, NUMBERS.likelihood].map((likelihood, i) => {
    const alone = likelihoodOps(likelihood, 2);
    const C = parts[i]?.shape[1] as number;
    return alone.logLikelihoods(parts[i] as tf.Tensor2D, alone.targets(labels[i] as tf.Tensor, C));
  });
  expect(relativeError(ops.logLikelihoods(f, targets), tf.addN(expected))).toBeLessThan(FLOAT32);
  expect(seen).toEqual([
    [2, 5],
    [2, 5],
  ]);
});
