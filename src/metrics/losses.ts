/**
 * The losses of each example, not their mean: for standard errors, paired comparisons, risk-coverage curves and bootstraps. Every metric
 * that is a mean over examples is the mean of one of these lists. O(N C).
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { rightOnes } from './accuracy.js';
import { brierOf } from './brier.js';
import { crpsOf } from './crps.js';
import { checkPredictions, entries, type GaussianPredictions } from './gaussian.js';
import { nllOf } from './nll.js';
import { labelled, type NumberRows, sound } from './rows.js';

/** Losses of the predictions of a classifier, [N] each. */
export interface ClassLosses {
  /** 0 if the most probable class is the label, otherwise 1. The mean is 1 − accuracy. */
  readonly zeroOne: Float64Array;
  /** −log p[y] in nats, >= 0. The mean is `nll`. */
  readonly nll: Float64Array;
  /** Σ_c (p[c] − [c = y])². The mean is `brierScore`. */
  readonly brierScore: Float64Array;
}

/** Losses of the predictions of a regression, [N] each. */
export interface GaussianLosses {
  /** The negative log-likelihood in nats, summed over outputs. The mean is `gaussianNll`. */
  readonly nll: Float64Array;
  /** The continuous ranked probability score, mean over outputs, in units of the targets. The mean is `gaussianCrps`. */
  readonly crps: Float64Array;
  /** The squared error, mean over outputs, in squared units of the targets. The root of the mean is `rmse`. */
  readonly squaredError: Float64Array;
  /** The absolute error, mean over outputs, in units of the targets. The mean is `mae`. */
  readonly absoluteError: Float64Array;
}

/**
 * The losses of each prediction of a classifier.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns lists [N]. Errors are those of `correctness`.
 *
 * @example
 * ```ts
 * import { classLosses, orThrow } from 'tfjs-laplace';
 *
 * orThrow(classLosses([[0.5, 0.5], [0, 1]], [0, 0])).brierScore; // => Float64Array.of(0.5, 2)
 * ```
 */
export const classLosses = (probabilities: NumberRows, labels: ArrayLike<number>): E.Either<LaplaceError, ClassLosses> =>
  F.pipe(
    labelled(probabilities, labels),
    E.map((rows) => ({
      zeroOne: Float64Array.from(rightOnes(rows, labels), (right) => 1 - right),
      nll: nllOf(rows, labels),
      brierScore: brierOf(rows, labels),
    })),
  );

/**
 * The losses of each Gaussian prediction.
 *
 * @returns lists [N]. Errors are those of `gaussianNll`.
 *
 * @example
 * ```ts
 * import { gaussianLosses, orThrow } from 'tfjs-laplace';
 *
 * const losses = orThrow(gaussianLosses({ targets: [[1, 2], [3, 4]], mean: [[1, 0], [3, 4]], variance: [[1, 1], [1, 1]] }));
 * losses.absoluteError; // => Float64Array.of(1, 0)
 * losses.squaredError; // => Float64Array.of(2, 0)
 * ```
 */
export const gaussianLosses = (predictions: GaussianPredictions): E.Either<LaplaceError, GaussianLosses> =>
  sound(checkPredictions(predictions), () => lossesOf(predictions));

/** The losses of sound predictions. */
export function lossesOf(predictions: GaussianPredictions): GaussianLosses {
  const N = predictions.targets.length;
  const all = entries(predictions);
  const C = all.length / N;
  const perExample = (of: (error: number, variance: number) => number, scale: number) => {
    const sums = new Float64Array(N);
    all.forEach(({ error, variance }, k) => {
      const i = Math.floor(k / C);
      sums[i] = (sums[i] as number) + scale * of(error, variance);
    });
    return sums;
  };
  return {
    nll: perExample(gaussianNllOf, 1),
    crps: perExample(crpsOf, 1 / C),
    squaredError: perExample((error) => error ** 2, 1 / C),
    absoluteError: perExample(Math.abs, 1 / C),
  };
}

const gaussianNllOf = (error: number, variance: number): number =>
  0.5 * (Math.log(2 * Math.PI * variance) + error ** 2 / variance);
