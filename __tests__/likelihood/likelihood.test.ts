/** Every likelihood against its textbook form in float64, autodiff, and expectations over its own labels. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, gaussian, type Likelihood } from 'tfjs-laplace';
import { likelihoodOps } from '../../src/likelihood/index.js';
import { key } from '../../src/random/key.js';
import { combination, outer, plus, type Rows } from '../support/math/dense64.js';
import { hessian, negativeLogLikelihood, sigmoid, softmax } from '../support/math/likelihoods64.js';
import { missedBy, normalSource, STANDARD_ERRORS, take } from '../support/math/monteCarlo.js';
import { FLOAT32, inRows, relativeError } from '../support/math/numbers.js';

/** A likelihood, its number of outputs, and targets of three examples in a row. */
const CASES: ReadonlyArray<readonly [string, Likelihood, C: number, targets: ReadonlyArray<number>]> = [
  ['categorical', categorical(), 3, [0, 0, 1, 1, 0, 0, 0, 1, 0]],
  ['categorical with soft labels', categorical(), 3, [0.2, 0.5, 0.3, 1, 0, 0, 0, 0.5, 0.5]],
  ['binary', bernoulli(), 1, [1, 0, 1]],
  ['Bernoulli of many labels', bernoulli(), 3, [1, 0, 1, 0, 0, 1, 0.3, 1, 0]],
  ['Gaussian', gaussian({ noiseVariance: 0.3 }), 2, [0.5, -2, 1, 3, 0, 0]],
  ['Gaussian of one output', gaussian({ noiseVariance: 4 }), 1, [0.5, -2, 1]],
];

const B = 3;
const outputsOf = (C: number): number[][] => inRows(take(B * C, normalSource(3)), C);

describe.each(CASES)('%s', (_, likelihood, C, labels) => {
  const ops = likelihoodOps(likelihood);
  const targets = inRows(labels, C);
  const f = outputsOf(C);
  const onDevice = () => ({ f: tf.tensor2d(f), targets: ops.targets(tf.tensor2d(targets), C) });

  it('has the log-likelihood of the definition, constants included, summed over examples', () => {
    const { f: outputs, targets: given } = onDevice();
    const expected = -f.reduce((sum, row, b) => sum + negativeLogLikelihood(likelihood, row, targets[b] as number[]), 0);
    expect(relativeError(ops.logLikelihood(outputs, given), expected)).toBeLessThan(FLOAT32);
  });

  it('has the gradient that autodiff gives', () => {
    const { f: outputs, targets: given } = onDevice();
    const expected = tf.grad((t) => tf.neg(ops.logLikelihood(t as tf.Tensor2D, given)))(outputs);
    expect(relativeError(ops.gradient(outputs, given), expected)).toBeLessThan(FLOAT32);
  });

  it('has the root of the Hessian that autodiff gives of the gradient', () => {
    const { f: outputs, targets: given } = onDevice();
    const found = squares(ops.hessianRoot(outputs));
    // Row c of an example's Hessian: the gradient of its gradient's entry c. Examples don't mix, so their sum is differentiated.
    const rows = Array.from({ length: C }, (_, c) =>
      tf.grad((t) => tf.sum(tf.slice(ops.gradient(t as tf.Tensor2D, given), [0, c], [B, 1])))(outputs),
    );
    expect(relativeError(found, tf.stack(rows, 1))).toBeLessThan(FLOAT32);
  });

  it('has a Hessian that is the Fisher: the mean outer product of gradients over labels drawn from the model', () => {
    const expected = f.map((row) => fisher(likelihood, row));
    expect(
      relativeError(
        f.map((row) => hessian(likelihood, row)),
        expected,
      ),
    ).toBeLessThan(1e-12);
    expect(relativeError(squares(ops.hessianRoot(tf.tensor2d(f))), expected)).toBeLessThan(FLOAT32);
  });

  it('draws gradients of mean 0 and second moment Λ', () => {
    const draws = 4000;
    const sampled = ops.sampledGradient(tf.tensor2d(f), key(11), draws);
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
    const draw = (seed: number) => Array.from(ops.sampledGradient(same, key(seed), 16).dataSync());
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const columns = inRows(draw(1), 4 * C).map((r) => inRows(r, C));
    const ofExample = (b: number) => JSON.stringify(columns.map((draws) => draws[b]));
    expect(new Set([0, 1, 2, 3].map(ofExample)).size).toBe(4);
  });

  it('stays finite and keeps its identities where probabilities reach 0 and 1', () => {
    const extremes = [0, 90, -90, 500, -500, 40, 30];
    const f = tf.tensor2d(
      inRows(
        Array.from({ length: 5 * C }, (_, i) => extremes[i % 7] as number),
        C,
      ),
    );
    const y = ops.targets(
      tf.tensor(likelihood._tag === 'categorical' ? [0, 1, 2, 1, 0] : new Array(5).fill(new Array(C).fill(1))),
      C,
    );
    const logLikelihood = ops.logLikelihood(f, y);
    const root = ops.hessianRoot(f);
    const parts = [logLikelihood, ops.gradient(f, y), root, ops.mean(f), ops.sampledGradient(f, key(1), 3)];
    expect(parts.map((part) => part.dataSync().every(Number.isFinite))).toEqual([true, true, true, true, true]);

    const [rows, targets] = [inRows(f.dataSync(), C), inRows(y.dataSync(), C)];
    const exact = rows.map((row, b) => -negativeLogLikelihood(likelihood, row, targets[b] as number[]));
    expect(
      relativeError(
        logLikelihood,
        exact.reduce((sum, v) => sum + v, 0),
      ),
    ).toBeLessThan(FLOAT32);
    const found = inRows(squares(root).dataSync(), C * C);
    rows.forEach((row, b) => {
      const expected = hessian(likelihood, row).flat();
      // Below 1e-37 float32 has no digits left. Above it they must be right, however near to 1 a probability is.
      if (Math.max(...expected) > 1e-37) expect(relativeError(found[b] as number[], expected)).toBeLessThan(FLOAT32);
      else expect(Math.max(...(found[b] as number[]))).toBeLessThan(2e-37);
    });
  });
});

/** Σ_k λ_k λ_kᵀ of every example, [B, C, C]. */
function squares(root: tf.Tensor3D): tf.Tensor {
  const columns = tf.transpose(root, [1, 2, 0]);
  return tf.matMul(columns, columns, false, true);
}

/** E[g gᵀ] with g = f's NLL gradient at a label: all labels of a discrete likelihood, the moments of the noise of a Gaussian. */
function fisher(likelihood: Likelihood, f: ReadonlyArray<number>): Rows {
  const C = f.length;
  const zero = outer(f, f).map((row) => row.map(() => 0));
  switch (likelihood._tag) {
    case 'categorical': {
      const p = softmax(f);
      return p
        .map((weight, y) => {
          const g = p.map((v, c) => v - (c === y ? 1 : 0));
          return combination([weight, outer(g, g)]);
        })
        .reduce(plus, zero);
    }
    case 'bernoulli':
      return Array.from({ length: 2 ** C }, (_, bits) => {
        const y = f.map((_, k) => (bits >> k) & 1);
        const weight = y.reduce((product, v, k) => product * sigmoid(v === 1 ? (f[k] as number) : -(f[k] as number)), 1);
        const g = f.map((v, k) => sigmoid(v) - (y[k] as number));
        return combination([weight, outer(g, g)]);
      }).reduce(plus, zero);
    case 'gaussian':
      // g = −ε / σ with E[ε εᵀ] = I.
      return zero.map((row, i) => row.map((_, j) => (i === j ? 1 / likelihood.noiseVariance : 0)));
  }
}
