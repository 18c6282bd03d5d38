/**
 * Gaussian likelihood whose noise the network predicts too (Nix & Weigend 1994). The outputs f = (μ_1 … μ_T, s_1 … s_T) are T
 * means and T log-variances s = log σ². NLL = ½ Σ_t (y_t − μ_t)² e^{−s_t} + s_t + log 2π. Labels are [B, T], or [B] if T = 1.
 *
 * Λ is the Fisher matrix diag(e^{−s}, ½). The Hessian of the NLL depends on the label and need not be positive.
 */
import * as tf from '@tensorflow/tfjs-core';
import { make, variant } from '../codec/index.js';
import { foldIn } from '../random/key.js';
import { normals } from '../random/normals.js';
import { independentHessian } from './hessian.js';
import { diagonalColumns, numberLabels } from './independent.js';
import type { LikelihoodOps } from './likelihood.js';
import { logNormalMean } from './moments.js';

export const Heteroscedastic = variant('heteroscedastic', {});

/**
 * Regression whose noise depends on the input (Nix & Weigend 1994). For labels [B, T] the network has 2 T outputs: first T means,
 * then T log-variances. The curvature is the Fisher matrix diag(1/σ², ½).
 *
 * @example
 * ```ts
 * import { heteroscedastic } from 'tfjs-laplace';
 *
 * heteroscedastic(); // => { _tag: 'heteroscedastic' }
 * ```
 */
export const heteroscedastic = (): (typeof Heteroscedastic)['_A'] => make('heteroscedastic', Heteroscedastic, {});

const LOG_2PI = Math.log(2 * Math.PI);

const labels = numberLabels('finite numbers');

/** The means and the log-variances, [B, T] each. */
const parts = (f: tf.Tensor2D): [tf.Tensor2D, tf.Tensor2D] => tf.split(f, 2, 1) as [tf.Tensor2D, tf.Tensor2D];

export const heteroscedasticOps: LikelihoodOps<'numbers'> = {
  name: 'heteroscedastic',
  predicts: 'numbers',
  links: [],
  forbidden: ['softmax', 'logSoftmax'],
  outputsFit: (C) => C >= 2 && C % 2 === 0,
  outputs: 'an even C: a mean and a log-variance for each label',
  losses: [],
  ownLoss:
    '(y, f) => { const [m, s] = tf.split(f, 2, 1); return tf.mean(tf.add(tf.mul(tf.squaredDifference(y, m), tf.exp(tf.neg(s))), s)); }',
  labels: (C) => labels.labels(C / 2),
  labelShapeFits: (shape, size, C) => labels.labelShapeFits(shape, size, C / 2),
  targets: (y, C) => labels.targets(y, C / 2),
  targetWidth: (C) => C / 2,
  labelsInRange: () => tf.scalar(1),
  logLikelihoods: (f, targets) => {
    const [mean, logVariance] = parts(f);
    const squares = tf.mul(tf.square(tf.sub(mean, targets)), tf.exp(tf.neg(logVariance)));
    return tf.mul(-0.5, tf.sum(tf.add(tf.add(squares, logVariance), LOG_2PI), 1));
  },
  gradient: (f, targets) => {
    const [mean, logVariance] = parts(f);
    const residual = tf.sub(mean, targets);
    const inMean = tf.mul(residual, tf.exp(tf.neg(logVariance)));
    return tf.concat([inMean, tf.mul(0.5, tf.sub(1, tf.mul(inMean, residual)))], 1) as tf.Tensor2D;
  },
  hessianRoot: (f) => {
    const [, logVariance] = parts(f);
    const inMean = tf.exp(tf.mul(-0.5, logVariance));
    return diagonalColumns(tf.concat([inMean, tf.fill(logVariance.shape, Math.SQRT1_2)], 1) as tf.Tensor2D);
  },
  hessian: independentHessian((f) => {
    const [, logVariance] = parts(f);
    return tf.concat([tf.exp(tf.neg(logVariance)), tf.fill(logVariance.shape, 0.5)], 1) as tf.Tensor2D;
  }),
  sampledGradient: (f, key, samples) => {
    const [, logVariance] = parts(f);
    const [B, T] = logVariance.shape;
    // For y = μ − σ ε the gradient is (ε / σ, ½ (1 − ε²)).
    const noise = tf.tensor3d(normals(foldIn(key, 0), samples * B * T), [samples, B, T]);
    const inMean = tf.mul(noise, tf.exp(tf.mul(-0.5, logVariance)));
    return tf.concat([inMean, tf.mul(0.5, tf.sub(1, tf.square(noise)))], 2) as tf.Tensor3D;
  },
  mean: (f) => parts(f)[0],
  variance: (f) => tf.exp(parts(f)[1]),
  gaussianMoments: (mu, variance) => {
    const T = mu.length / 2;
    return Array.from({ length: T }, (_, t) => ({
      mean: mu[t] as number,
      epistemic: variance[t] as number,
      noise: logNormalMean(mu[T + t] as number, variance[T + t] as number),
    }));
  },
};
