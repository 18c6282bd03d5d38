/**
 * Gaussian likelihood with known noise variances σ_c², one for all outputs or one for each: NLL = Σ_c (f_c − y_c)² / (2σ_c²) + ½
 * log(2πσ_c²), Λ = diag(1/σ²). Labels are any finite numbers of shape [B, C], or [B] if C = 1.
 */
import * as tf from '@tensorflow/tfjs-core';
import { anyOf, array, defaulted, make, type Options, positive, variant } from '../codec/index.js';
import { foldIn } from '../random/key.js';
import { normals } from '../random/normals.js';
import { independentHessian } from './hessian.js';
import { diagonalColumns, numberLabels } from './independent.js';
import type { LikelihoodOps } from './likelihood.js';

/** Decodes σ² > 0: one for all outputs, or one for each. */
export const NoiseVarianceCodec = anyOf(
  positive,
  array('an array of finite numbers > 0, one for each output', positive),
  Array.isArray,
);

export const Gaussian = variant('gaussian', {
  /** σ² > 0: one for all outputs, or one for each. */
  noiseVariance: defaulted(NoiseVarianceCodec, 1),
});

/** The value of `gaussian`. */
type Value = (typeof Gaussian)['_A'];

/** Options of `gaussian`. */
export type GaussianOptions = Options<typeof Gaussian>;

/**
 * Regression: y ~ N(f, diag(σ²)) with a known noise variance σ², in squared units of the labels. It is the same for all outputs,
 * or one for each.
 *
 * @throws LaplaceError `InvalidOption` for a noise variance that is not > 0.
 *
 * @example
 * ```ts
 * import { gaussian } from 'tfjs-laplace';
 *
 * gaussian({ noiseVariance: 0.25 }); // => { _tag: 'gaussian', noiseVariance: 0.25 }
 * gaussian({ noiseVariance: [0.25, 4] }); // => { _tag: 'gaussian', noiseVariance: [0.25, 4] }
 * ```
 */
export const gaussian = (options: GaussianOptions = {}): Value => make('gaussian', Gaussian, options);

/** The operations of the likelihood. */
export const gaussianOps = ({ noiseVariance }: Value): LikelihoodOps<'numbers'> => {
  const each = typeof noiseVariance === 'number' ? undefined : noiseVariance;
  const [first = noiseVariance as number] = each ?? [];
  /** A function of σ² as a tensor that broadcasts over [B, C]. */
  const row = (of: (variance: number) => number): tf.Tensor =>
    each === undefined ? tf.scalar(of(first)) : tf.tensor1d(each.map(of));
  const deviation = Math.sqrt;
  return {
    name: 'gaussian',
    predicts: 'numbers',
    links: [],
    forbidden: ['softmax', 'logSoftmax'],
    outputsFit: (C) => C >= 1 && (each === undefined || each.length === C),
    outputs: each === undefined ? 'C >= 1' : `C = ${each.length}, one for each noise variance`,
    ...(each?.some((variance) => variance !== first)
      ? { losses: [], ownLoss: `(y, f) => tf.mean(tf.mul(tf.squaredDifference(y, f), [${each.map((v) => 1 / v).join(', ')}]))` }
      : { losses: squaredErrors(first) }),
    ...numberLabels('finite numbers'),
    labelsInRange: () => tf.scalar(1),
    logLikelihoods: (f, targets) => {
      const squares = tf.mul(
        tf.square(tf.sub(f, targets)),
        row((variance) => 0.5 / variance),
      );
      const constants = row((variance) => 0.5 * Math.log(2 * Math.PI * variance));
      return tf.neg(tf.sum(tf.add(squares, constants), 1));
    },
    gradient: (f, targets) =>
      tf.mul(
        tf.sub(f, targets),
        row((variance) => 1 / variance),
      ),
    hessianRoot: (f) =>
      diagonalColumns(
        tf.mul(
          tf.onesLike(f),
          row((variance) => 1 / deviation(variance)),
        ),
      ),
    hessian: independentHessian((f) =>
      tf.mul(
        tf.onesLike(f),
        row((variance) => 1 / variance),
      ),
    ),
    sampledGradient: (f, key, samples) => {
      const [B, C] = f.shape;
      // y = f + σ ε, so (f − y) / σ² = −ε / σ, which has the law of ε / σ.
      const noise = tf.tensor(normals(foldIn(key, 0), samples * B * C), [samples, B, C]);
      return tf.mul(
        noise,
        row((variance) => 1 / deviation(variance)),
      );
    },
    mean: (f) => f,
    variance: (f) =>
      tf.mul(
        tf.onesLike(f),
        row((variance) => variance),
      ),
    gaussianMoments: (mu, variance) =>
      Array.from(mu, (mean, c) => ({ mean, epistemic: variance[c] as number, noise: each?.[c] ?? first })),
  };
};

/** tfjs's mean squared error is (1/C) Σ (f − y)². */
const squaredErrors = (variance: number): LikelihoodOps['losses'] =>
  ['meanSquaredError', tf.losses.meanSquaredError].map((loss) => ({
    loss,
    takes: 'outputs',
    scale: (C: number) => C / (2 * variance),
  }));
