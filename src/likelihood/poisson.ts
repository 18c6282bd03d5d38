/**
 * Poisson likelihood of counts: f is the logarithm of the rate, NLL = Σ_c e^{f_c} − y_c f_c + log y_c!, Λ = diag(e^f). Labels are
 * integers >= 0 of shape [B, C], or [B] if C = 1.
 *
 * For counts from 16 on the NLL is computed from the deviance (Loader 2000): with δ = f − log y it is y (e^δ − 1 − δ) + ½
 * log(2πy) + a small series. The terms of e^f − y f + log y! are of the size of y log y, so their sum would lose digits.
 */
import * as tf from '@tensorflow/tfjs-core';
import { make, variant } from '../codec/index.js';
import { laplaceError } from '../errors.js';
import { foldIn } from '../random/key.js';
import { LOG_FACTORIALS, poissons } from '../random/poisson.js';
import { independentHessian } from './hessian.js';
import { allOf, diagonalColumns, numberLabels } from './independent.js';
import type { LikelihoodOps } from './likelihood.js';
import { logNormalMean } from './moments.js';

export const Poisson = variant('poisson', {});

/**
 * Counts: y ~ Poisson(e^f), where f is the logarithm of the rate. Labels are integers >= 0 of shape [B, C], or [B] for one
 * output.
 *
 * @example
 * ```ts
 * import { poisson } from 'tfjs-laplace';
 *
 * poisson(); // => { _tag: 'poisson' }
 * ```
 */
export const poisson = (): (typeof Poisson)['_A'] => make('poisson', Poisson, {});

const LARGE = LOG_FACTORIALS.length;

/** −log p(y | f) of every output. */
function negativeLogLikelihood(f: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor {
  const table = tf.gather(tf.tensor1d([...LOG_FACTORIALS]), tf.cast(tf.minimum(y, LARGE - 1), 'int32'));
  const few = tf.add(tf.sub(tf.exp(f), tf.mul(y, f)), table);
  // Both formulas are computed for every y. Each one must be finite where the other one is taken.
  const n = tf.maximum(y, LARGE);
  const delta = tf.sub(f, tf.log(n));
  const deviance = tf.mul(n, tf.sub(tf.expm1(delta), delta));
  // The third term of Stirling's series is below 1e-6 from 16 on.
  const rest = tf.add(tf.mul(0.5, tf.log(tf.mul(2 * Math.PI, n))), tf.div(1 / 12, n));
  return tf.where(tf.less(y, LARGE), few, tf.add(deviance, rest));
}

export const poissonOps: LikelihoodOps<'counts'> = {
  name: 'poisson',
  predicts: 'counts',
  // tfjs has no activation of this name, but a class of this name can be registered with tfjs.
  links: ['exponential'],
  forbidden: ['softmax', 'logSoftmax', 'sigmoid', 'hardSigmoid'],
  outputsFit: (C) => C >= 1,
  outputs: 'C >= 1',
  // tfjs averages over the C outputs, and takes rates.
  losses: [{ loss: 'poisson', takes: 'outputs', scale: (C) => C }],
  ownLoss: '(y, f) => tf.mean(tf.sub(tf.exp(f), tf.mul(y, f))), on log rates',
  ...numberLabels('counts, integers >= 0,'),
  labelsInRange: (y) => {
    const counts = tf.cast(y, 'float32');
    return allOf(tf.logicalAnd(tf.greaterEqual(counts, 0), tf.equal(counts, tf.floor(counts))));
  },
  logLikelihoods: (f, targets) => tf.neg(tf.sum(negativeLogLikelihood(f, targets), 1)),
  gradient: (f, targets) => tf.sub(tf.exp(f), targets),
  hessianRoot: (f) => diagonalColumns(tf.exp(tf.mul(0.5, f))),
  hessian: independentHessian((f) => tf.exp(f)),
  // The counts are drawn on the host, so this waits for the rates.
  sampledGradient: (f, key, samples) => {
    const [B, C] = f.shape;
    const rate = tf.exp(f);
    const rates = rate.dataSync();
    if (!rates.every(Number.isFinite)) throw tooLarge();
    const counts = Array.from({ length: samples }, (_, s) => tf.tensor2d(poissons(foldIn(key, s), rates), [B, C]));
    return tf.sub(tf.expandDims(rate, 0), tf.stack(counts)) as tf.Tensor3D;
  },
  mean: (f) => tf.exp(f),
  variance: (f) => tf.exp(f),
  gaussianMoments: (mu, variance) =>
    Array.from(mu, (f, c) => {
      const v = variance[c] as number;
      const rate = logNormalMean(f, v);
      return { mean: rate, epistemic: rate * rate * Math.expm1(v), noise: rate };
    }),
};

const tooLarge = () =>
  laplaceError('NotFinite', {
    what: 'A rate of the poisson likelihood is not finite',
    field: 'outputs',
    found: 'exp(f) that is NaN or infinite',
    expected: 'outputs f that are logarithms of rates, below 88',
    remedy: 'A model that gives rates themselves needs a final logarithm, or a customLikelihood.',
  });
