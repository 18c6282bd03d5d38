/**
 * Metrics of Gaussian predictions y ~ N(μ, v), entry by entry of rows [N][C]. v is the total variance: noise variance
 * plus epistemic variance.
 *
 *   NLL = 1/N Σ_i Σ_c ½ [log(2π v_ic) + (y_ic − μ_ic)² / v_ic]      nats per example, a density: it can be negative
 *   RMSE = √(mean (y − μ)²),   MAE = mean |y − μ|                    units of y
 *   coverage = share of entries with |y − μ| ≤ z √v, where z cuts a central interval of probability `level` out of the normal
 *
 * Each metric costs O(N C).
 */
import type { either as E } from 'fp-ts';
import { defaulted, hasFields, optionsOf, probability, struct } from '../codec/index.js';
import { dual, type HasData } from '../dual.js';
import type { LaplaceError } from '../errors.js';
import { centralProbability } from '../random/normal.js';
import { checkAlike, checkPredictions, entries, type GaussianPredictions } from './gaussian.js';
import { type NumberRows, sound } from './rows.js';

/**
 * Mean negative log-likelihood of Gaussian predictions, in nats per example, summed over outputs.
 *
 * @returns the mean, or `InvalidInput`, `NotFinite` or `Empty` for rows that differ in shape, are not finite, or have a variance that
 *   is not > 0.
 *
 * @example
 * ```ts
 * import { gaussianNll, orThrow } from 'tfjs-laplace';
 *
 * orThrow(gaussianNll({ targets: [[1]], mean: [[0]], variance: [[1]] })); // => 1.4189…
 * ```
 */
export const gaussianNll = (predictions: GaussianPredictions): E.Either<LaplaceError, number> =>
  sound(checkPredictions(predictions), () => {
    let sum = 0;
    for (const { error, variance } of entries(predictions)) {
      sum += 0.5 * (Math.log(2 * Math.PI * variance) + error ** 2 / variance);
    }
    return sum / predictions.targets.length;
  });

/**
 * Root of the mean squared error over all entries, in units of the targets.
 *
 * @returns the error, or `InvalidInput`, `NotFinite` or `Empty` for rows that differ in shape or are not finite.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { rmse } from 'tfjs-laplace';
 *
 * rmse([[1], [7]], [[2], [0]]); // => E.right(5)
 * ```
 */
export const rmse = (targets: NumberRows, mean: NumberRows): E.Either<LaplaceError, number> =>
  sound(checkAlike(targets, mean, 'mean'), () => {
    const errors = targets.flatMap((row, i) => Array.from(row, (y, c) => y - (mean[i]?.[c] as number)));
    return Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
  });

/**
 * Mean absolute error over all entries, in units of the targets.
 *
 * @returns the error, or `InvalidInput`, `NotFinite` or `Empty` for rows that differ in shape or are not finite.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { mae } from 'tfjs-laplace';
 *
 * mae([[1], [7]], [[2], [0]]); // => E.right(4)
 * ```
 */
export const mae = (targets: NumberRows, mean: NumberRows): E.Either<LaplaceError, number> =>
  sound(checkAlike(targets, mean, 'mean'), () => {
    const errors = targets.flatMap((row, i) => Array.from(row, (y, c) => Math.abs(y - (mean[i]?.[c] as number))));
    return errors.reduce((sum, error) => sum + error, 0) / errors.length;
  });

/** Options of `intervalCoverage`. */
export interface IntervalOptions {
  /** Probability of an interval, in (0, 1). Default 0.95. */
  readonly level?: number;
}

const Options = struct('options, or predictions { targets, mean, variance }', { level: defaulted(probability, 0.95) });

/**
 * The share of targets within the central predictive interval of probability `level`. For calibrated predictions the share is
 * `level`.
 *
 * @returns the share. Errors are those of `gaussianNll`.
 * @throws LaplaceError `InvalidOption` for a level outside (0, 1).
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { intervalCoverage } from 'tfjs-laplace';
 *
 * const predictions = { targets: [[1.9], [2.1]], mean: [[0], [0]], variance: [[1], [1]] };
 * intervalCoverage(predictions, { level: 0.95 }); // => E.right(0.5)
 * ```
 */
export function intervalCoverage(options?: IntervalOptions): (predictions: GaussianPredictions) => E.Either<LaplaceError, number>;
export function intervalCoverage(predictions: GaussianPredictions, options?: IntervalOptions): E.Either<LaplaceError, number>;
export function intervalCoverage(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifPredictions, (options: IntervalOptions = {}) => {
    const { level } = optionsOf('intervalCoverage', Options, options);
    return (predictions: GaussianPredictions) =>
      sound(checkPredictions(predictions), () => {
        const all = entries(predictions);
        const within = all.filter(({ error, variance }) => centralProbability(Math.abs(error) / Math.sqrt(variance)) <= level);
        return within.length / all.length;
      });
  });
}

const ifPredictions: HasData = (args) => args.length > 1 || hasFields('targets')(args[0]);
