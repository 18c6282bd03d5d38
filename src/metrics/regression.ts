/**
 * Metrics of Gaussian predictions y ~ N(μ, v), entry by entry of rows [N][C]. v is the total variance: noise variance
 * plus epistemic variance.
 *
 *   NLL = 1/N Σ_i Σ_c ½ [log(2π v_ic) + (y_ic − μ_ic)² / v_ic]      nats per example, a density: it can be negative
 *   RMSE = √(mean (y − μ)²)                                         units of y
 *   coverage = share of entries with |y − μ| ≤ z √v, where z cuts a central interval of probability `level` out of the normal
 *
 * Each O(N C).
 */
import { dual, type HasData } from '../dual.js';
import { centralProbability } from '../random/normal.js';
import { checkCount, checkRows, type NumberRows, refuse } from './rows.js';

/** Predictive means and variances with the observed targets, all as rows [N][C]. */
export interface GaussianPredictions {
  readonly targets: NumberRows;
  readonly mean: NumberRows;
  /** The total variance, > 0. */
  readonly variance: NumberRows;
}

/**
 * Mean negative log-likelihood of Gaussian predictions, in nats per example, summed over outputs.
 *
 * @throws LaplaceError for rows that differ in shape, are not finite, or have a variance that is not > 0.
 *
 * @example
 * ```ts
 * import { gaussianNll } from 'tfjs-laplace';
 *
 * gaussianNll({ targets: [[1]], mean: [[0]], variance: [[1]] }); // => 1.4189…
 * ```
 */
export function gaussianNll(predictions: GaussianPredictions): number {
  let sum = 0;
  for (const { error, variance } of entries(predictions)) sum += 0.5 * (Math.log(2 * Math.PI * variance) + error ** 2 / variance);
  return sum / predictions.targets.length;
}

/**
 * Root of the mean squared error over all entries, in units of the targets.
 *
 * @throws LaplaceError for rows that differ in shape or are not finite.
 *
 * @example
 * ```ts
 * import { rmse } from 'tfjs-laplace';
 *
 * rmse([[1], [7]], [[2], [0]]); // => 5
 * ```
 */
export function rmse(targets: NumberRows, mean: NumberRows): number {
  const C = checkAlike(targets, mean, 'mean');
  let sum = 0;
  targets.forEach((row, i) => {
    for (let c = 0; c < C; c++) sum += ((row[c] as number) - (mean[i]?.[c] as number)) ** 2;
  });
  return Math.sqrt(sum / (targets.length * C));
}

/** Options of `intervalCoverage`. */
export interface IntervalOptions {
  /** Probability of an interval, in (0, 1). Default 0.95. */
  readonly level?: number;
}

/**
 * The share of targets within the central predictive interval of probability `level`. For calibrated predictions the share is
 * `level`.
 *
 * @throws LaplaceError for rows as in `gaussianNll`, and `InvalidOption` for another level.
 *
 * @example
 * ```ts
 * import { intervalCoverage } from 'tfjs-laplace';
 *
 * const predictions = { targets: [[1.9], [2.1]], mean: [[0], [0]], variance: [[1], [1]] };
 * intervalCoverage(predictions, { level: 0.95 }); // => 0.5
 * ```
 */
export function intervalCoverage(options?: IntervalOptions): (predictions: GaussianPredictions) => number;
export function intervalCoverage(predictions: GaussianPredictions, options?: IntervalOptions): number;
export function intervalCoverage(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifPredictions, ({ level = 0.95 }: IntervalOptions = {}) => {
    if (!(level > 0 && level < 1)) refuse('level', String(level), 'a number in (0, 1)', 'InvalidOption');
    return (predictions: GaussianPredictions) => {
      const all = entries(predictions);
      const within = all.filter(({ error, variance }) => centralProbability(Math.abs(error) / Math.sqrt(variance)) <= level);
      return within.length / all.length;
    };
  });
}

const ifPredictions: HasData = ([first]) => typeof first === 'object' && first !== null && 'targets' in first;

function entries({
  targets,
  mean,
  variance,
}: GaussianPredictions): ReadonlyArray<{ readonly error: number; readonly variance: number }> {
  checkAlike(targets, mean, 'mean');
  checkAlike(targets, variance, 'variance');
  return targets.flatMap((row, i) =>
    Array.from(row, (y, c) => {
      const v = variance[i]?.[c] as number;
      if (v <= 0) refuse(`variance[${i}][${c}]`, String(v), 'a number > 0');
      return { error: y - (mean[i]?.[c] as number), variance: v };
    }),
  );
}

/** Checks that two tables have the same shape, and returns their number of columns. */
function checkAlike(targets: NumberRows, others: NumberRows, field: string): number {
  const C = checkRows(targets, 'targets');
  checkCount(others.length, targets.length, field);
  checkCount(checkRows(others, field), C, `${field}[0]`);
  return C;
}
