/** Every likelihood against its textbook form in float64, autodiff, and expectations over its own labels. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, gaussian, heteroscedastic, type OutputLikelihood, poisson } from 'tfjs-laplace';
import { likelihoodOps } from '../../src/likelihood/index.js';
import { key } from '../../src/random/key.js';
import { outer } from '../support/math/dense64.js';
import { fisher, hessian, negativeLogLikelihood } from '../support/math/likelihoods64.js';
import { missedBy, normalSource, STANDARD_ERRORS, take } from '../support/math/monteCarlo.js';
import { FLOAT32, inRows, relativeError } from '../support/math/numbers.js';

/** A likelihood, its number of outputs, and labels of three examples in a row. */
const CASES: ReadonlyArray<readonly [string, OutputLikelihood, C: number, labels: ReadonlyArray<number>]> = [
  ['categorical', categorical(), 3, [0, 0, 1, 1, 0, 0, 0, 1, 0]],
  ['categorical with soft labels', categorical(), 3, [0.2, 0.5, 0.3, 1, 0, 0, 0, 0.5, 0.5]],
  ['categorical with label smoothing', categorical({ labelSmoothing: 0.2 }), 3, [0, 0, 1, 1, 0, 0, 0, 1, 0]],
  ['binary', bernoulli(), 1, [1, 0, 1]],
  ['Bernoulli of many labels', bernoulli(), 3, [1, 0, 1, 0, 0, 1, 0.3, 1, 0]],
  ['Bernoulli with label smoothing', bernoulli({ labelSmoothing: 0.2 }), 2, [1, 0, 1, 0, 0, 1]],
  ['Gaussian', gaussian({ noiseVariance: 0.3 }), 2, [0.5, -2, 1, 3, 0, 0]],
  ['Gaussian of one output', gaussian({ noiseVariance: 4 }), 1, [0.5, -2, 1]],
  ['Gaussian with a noise variance for each output', gaussian({ noiseVariance: [0.3, 4] }), 2, [0.5, -2, 1, 3, 0, 0]],
  ['heteroscedastic', heteroscedastic(), 2, [0.5, -2, 1]],
  ['heteroscedastic of two labels', heteroscedastic(), 4, [0.5, -2, 1, 3, 0, 0]],
  ['Poisson', poisson(), 1, [0, 3, 40]],
  ['Poisson of two outputs', poisson(), 2, [0, 1, 15, 16, 2, 1000]],
];

const B = 3;
const outputsOf = (C: number): number[][] => inRows(take(B * C, normalSource(3)), C);

describe.each(CASES)('%s', (_, likelihood, C, given) => {
  const ops = likelihoodOps(likelihood, C);
  const labels = inRows(given, given.length / B);
  const f = outputsOf(C);
  const onDevice = () => ({ f: tf.tensor2d(f), targets: ops.targets(tf.tensor2d(labels), C) });

  it('has the log-likelihood of the definition for each example, constants included', () => {
    const { f: outputs, targets } = onDevice();
    const expected = f.map((row, b) => -negativeLogLikelihood(likelihood, row, labels[b] as number[]));
    expect(relativeError(ops.logLikelihoods(outputs, targets), expected)).toBeLessThan(FLOAT32);
  });

  it('has the gradient that autodiff gives', () => {
    const { f: outputs, targets } = onDevice();
    const expected = tf.grad((t) => tf.neg(tf.sum(ops.logLikelihoods(t as tf.Tensor2D, targets))))(outputs);
    expect(relativeError(ops.gradient(outputs, targets), expected)).toBeLessThan(FLOAT32);
  });

  // The Hessian of a heteroscedastic NLL depends on the label; what is used is its mean, the Fisher.
  if (likelihood._tag !== 'heteroscedastic')
    it('has the root of the Hessian that autodiff gives of the gradient', () => {
      const { f: outputs, targets } = onDevice();
      const found = squares(ops.hessianRoot(outputs, targets));
      // Row c of an example's Hessian: the gradient of its gradient's entry c. Examples don't mix, so their sum is differentiated.
      const rows = Array.from({ length: C }, (_, c) =>
        tf.grad((t) => tf.sum(tf.slice(ops.gradient(t as tf.Tensor2D, targets), [0, c], [B, 1])))(outputs),
      );
      expect(relativeError(found, tf.stack(rows, 1))).toBeLessThan(FLOAT32);
    });

  it('has a Hessian that is the Fisher: the mean outer product of gradients over labels drawn from the model', () => {
    const { f: outputs, targets } = onDevice();
    const expected = f.map((row) => fisher(likelihood, row));
    expect(
      relativeError(
        f.map((row) => hessian(likelihood, row)),
        expected,
      ),
    ).toBeLessThan(1e-12);
    expect(relativeError(squares(ops.hessianRoot(outputs, targets)), expected)).toBeLessThan(FLOAT32);
  });

  it('draws gradients of mean 0 and second moment Λ', () => {
    const draws = 4000;
    const { f: outputs, targets } = onDevice();
    const sampled = ops.sampledGradient(outputs, key(11), draws, targets);
    expect(sampled.shape).toEqual([draws, B, C]);
    const flat = sampled.dataSync();
    for (const [b, row] of f.entries()) {
      const own = Array.from({ length: draws }, (_, s) => Array.from(flat.subarray((s * B + b) * C, (s * B + b + 1) * C)));
      expect(
        missedBy(
          own,
          row.map(() => 0),
        ),
      ).toBeLessThan(STANDARD_ERRORS);
      expect(
        missedBy(
          own.map((g) => outer(g, g).flat()),
          hessian(likelihood, row).flat(),
        ),
      ).toBeLessThan(STANDARD_ERRORS);
    }
  });

  it('draws by the key: the same for one key, others for another, and none of a batch twice', () => {
    const same = tf.fill([4, C], 0.2) as tf.Tensor2D;
    const none = tf.zeros([4, C]) as tf.Tensor2D;
    const draw = (seed: number) => Array.from(ops.sampledGradient(same, key(seed), 16, none).dataSync());
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const columns = inRows(draw(1), 4 * C).map((r) => inRows(r, C));
    const ofExample = (b: number) => JSON.stringify(columns.map((draws) => draws[b]));
    expect(new Set([0, 1, 2, 3].map(ofExample)).size).toBe(4);
  });

  it('stays finite and keeps its identities at extreme outputs', () => {
    // Where an exponential is the result itself, float32 has it from e^−87 to e^88.
    const exponential = likelihood._tag === 'heteroscedastic' || likelihood._tag === 'poisson';
    const extremes = exponential ? [0, 40, -40, 9, -35, 12, 30] : [0, 90, -90, 500, -500, 40, 30];
    const f = tf.tensor2d(
      inRows(
        Array.from({ length: 5 * C }, (_, i) => extremes[i % 7] as number),
        C,
      ),
    );
    const classes = [0, 1, 2, 1, 0].map((k) => Array.from({ length: C }, (_, c) => (c === k ? 1 : 0)));
    const labels =
      likelihood._tag === 'categorical' ? classes : inRows(new Array((5 * given.length) / B).fill(1), given.length / B);
    const y = ops.targets(tf.tensor2d(labels), C);
    const logLikelihoods = ops.logLikelihoods(f, y);
    const root = ops.hessianRoot(f, y);
    const sampled = exponential ? tf.scalar(0) : ops.sampledGradient(f, key(1), 3, y);
    const parts = [logLikelihoods, ops.gradient(f, y), root, ops.mean(f), sampled];
    expect(parts.map((part) => part.dataSync().every(Number.isFinite))).toEqual([true, true, true, true, true]);

    const rows = inRows(f.dataSync(), C);
    const exact = rows.map((row, b) => -negativeLogLikelihood(likelihood, row, labels[b] as number[]));
    expect(relativeError(logLikelihoods, exact)).toBeLessThan(FLOAT32);
    const found = inRows(squares(root).dataSync(), C * C);
    rows.forEach((row, b) => {
      const expected = hessian(likelihood, row).flat();
      // Below 1e-37 float32 has no digits left. Above it they must be right, however near to 1 a probability is.
      if (Math.max(...expected) > 1e-37) expect(relativeError(found[b] as number[], expected)).toBeLessThan(FLOAT32);
      else expect(Math.max(...(found[b] as number[]))).toBeLessThan(2e-37);
    });
  });
});

it('keeps the digits of the log-likelihood of large counts', () => {
  const ops = likelihoodOps(poisson(), 1);
  const counts = [15, 16, 1000, 100000];
  // At the rate that the count says, −log p is half of log 2πy: small beside y log y, which is 1e6 for the last.
  const f = tf.tensor2d(counts.map((y) => [Math.log(y)]));
  const found = ops.logLikelihoods(f, tf.tensor2d(counts.map((y) => [y])));
  const expected = Array.from(f.dataSync(), (row, i) => -negativeLogLikelihood(poisson(), [row], [counts[i] as number]));
  expect(relativeError(found, expected)).toBeLessThan(FLOAT32);
});

it('refuses to draw counts of rates that are not finite', () => {
  const ops = likelihoodOps(poisson(), 1);
  expect(() => ops.sampledGradient(tf.tensor2d([[100]]), key(1), 1, tf.tensor2d([[1]]))).toThrow(
    expect.objectContaining({ kind: 'NotFinite', field: 'outputs' }),
  );
});

describe('class weights', () => {
  it('are those of the labels, whether numbers, one-hot or smoothed', () => {
    const weights = [0, 2, 5];
    for (const labelSmoothing of [0, 0.3]) {
      const ops = likelihoodOps(categorical({ classWeights: weights, labelSmoothing }), 3);
      const weightsOf = (y: tf.Tensor) =>
        Array.from((ops.weights as NonNullable<typeof ops.weights>)(ops.targets(y, 3)).dataSync());
      expect(weightsOf(tf.tensor1d([2, 0, 1], 'int32'))).toEqual([5, 0, 2]);
      expect(
        weightsOf(
          tf.tensor2d([
            [0, 1, 0],
            [0, 0, 1],
          ]),
        ),
      ).toEqual([2, 5]);
      const binary = likelihoodOps(bernoulli({ classWeights: [1, 3], labelSmoothing }), 1);
      expect(Array.from(binary.weights?.(binary.targets(tf.tensor1d([1, 0]), 1)).dataSync() ?? [])).toEqual([3, 1]);
    }
  });

  it('are absent unless given', () => {
    for (const likelihood of [categorical(), bernoulli(), gaussian(), poisson()])
      expect(likelihoodOps(likelihood, 2).weights).toBeUndefined();
  });
});

it.each<[string, OutputLikelihood, number, boolean]>([
  ['one class', categorical(), 1, false],
  ['as many weights as classes', categorical({ classWeights: [1, 2, 3] }), 3, true],
  ['more classes than weights', categorical({ classWeights: [1, 2, 3] }), 4, false],
  ['weights of one label', bernoulli({ classWeights: [1, 2] }), 1, true],
  ['weights of several labels', bernoulli({ classWeights: [1, 2] }), 2, false],
  ['as many noise variances as outputs', gaussian({ noiseVariance: [1, 2] }), 2, true],
  ['fewer noise variances than outputs', gaussian({ noiseVariance: [1, 2] }), 3, false],
  ['an odd number of means and log-variances', heteroscedastic(), 3, false],
])('knows the outputs that fit: %s', (_, likelihood, C, expected) => {
  expect(likelihoodOps(likelihood, C).outputsFit(C)).toBe(expected);
});

/** Σ_k λ_k λ_kᵀ of every example, [B, C, C]. */
function squares(root: tf.Tensor3D): tf.Tensor {
  const columns = tf.transpose(root, [1, 2, 0]);
  return tf.matMul(columns, columns, false, true);
}
