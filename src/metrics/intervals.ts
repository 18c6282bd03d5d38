/**
 * Calibration and sharpness of Gaussian predictions y ~ N(μ, v), over all entries of rows [N][C]. A central interval of probability p
 * should hold the share p of the targets:
 *
 *   expected p_k = k / (K − 1), k = 0 … K − 1,   observed o_k = share of entries with |y − μ| <= z(p_k) √v
 *   mean absolute error = 1/K Σ_k |o_k − p_k|,   root mean squared error = √(1/K Σ_k (o_k − p_k)²)
 *   sharpness = √(mean v)                        units of y
 *
 * These are the definitions of Uncertainty Toolbox (`mean_absolute_calibration_error`, `root_mean_squared_calibration_error`, `sharpness`)
 * for central intervals and its 100 levels. Predictions that are wider than needed have o_k > p_k. `pit.ts` has the calibration of quantiles.
 * O(N C). Reference: Kuleshov, Fenner & Ermon 2018; Gneiting, Balabdaoui & Raftery 2007 (sharpness); Chung et al. 2021 (Uncertainty Toolbox).
 */
import type { either as E } from 'fp-ts';
import { defaulted, optionsOf, refined, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { centralProbability } from '../random/normal.js';
import { checkPredictions, entries, type GaussianPredictions } from './gaussian.js';
import { sound } from './rows.js';

export interface IntervalCalibration {
  /** Mean absolute calibration error, 0 to ½ or so. */
  readonly meanAbsolute: number;
  /** Root mean squared calibration error. */
  readonly rootMeanSquared: number;
  /** Probabilities of the intervals, from 0 to 1. [K] */
  readonly expected: Float64Array;
  /** The share of entries within the intervals. [K] */
  readonly observed: Float64Array;
}

/** Options of `intervalCalibration`. */
export interface IntervalCalibrationOptions {
  /** K, the number of levels from 0 to 1, both included; an integer >= 2. Default 100. */
  readonly levels?: number;
}

const levelCount = defaulted(
  refined('an integer >= 2', (value): value is number => Number.isSafeInteger(value) && (value as number) >= 2),
  100,
);
export const LevelOptions = struct('options', { levels: levelCount });

/**
 * Calibration errors of central intervals, with the curve of observed against expected shares.
 *
 * @returns the errors and the curve. Errors are those of `gaussianNll`.
 * @throws LaplaceError `InvalidOption` if `levels` is not an integer >= 2.
 *
 * @example
 * ```ts
 * import { intervalCalibration, orThrow } from 'tfjs-laplace';
 *
 * const { expected, observed, meanAbsolute } = orThrow(
 *   intervalCalibration({ targets: [[0.5], [9]], mean: [[0], [0]], variance: [[1], [1]] }, { levels: 5 }),
 * );
 * expected; // => Float64Array.of(0, 0.25, 0.5, 0.75, 1)
 * observed; // => Float64Array.of(0, 0, 0.5, 0.5, 1)
 * meanAbsolute; // => 0.1
 * ```
 */
export function intervalCalibration(
  predictions: GaussianPredictions,
  options: IntervalCalibrationOptions = {},
): E.Either<LaplaceError, IntervalCalibration> {
  const { levels } = optionsOf('intervalCalibration', LevelOptions, options);
  return sound(checkPredictions(predictions), () => curveOf(levelCounts(centralLevels(entries(predictions)), levels)));
}

/** The probability of the narrowest central interval that holds each entry. */
export const centralLevels = (
  list: ReadonlyArray<{ readonly error: number; readonly variance: number }>,
): ReadonlyArray<number> => list.map(({ error, variance }) => centralProbability(Math.abs(error) / Math.sqrt(variance)));

/** How many of these probabilities have each level as the first that is not below them, [K]. Counts of disjoint parts add up. */
export function levelCounts(probabilities: ReadonlyArray<number>, levels: number): Float64Array {
  const counts = new Float64Array(levels);
  for (const p of probabilities) {
    // The first k with p <= k / (K − 1), whatever way rounding goes.
    let k = Math.max(0, Math.floor(p * (levels - 1)));
    while (k < levels - 1 && p > k / (levels - 1)) k++;
    counts[k] = (counts[k] as number) + 1;
  }
  return counts;
}

export function curveOf(counts: Float64Array): IntervalCalibration {
  const K = counts.length;
  const all = counts.reduce((sum, count) => sum + count, 0);
  let within = 0;
  const observed = counts.map((count) => {
    within += count;
    return within / all;
  });
  const expected = counts.map((_, k) => k / (K - 1));
  const gaps = observed.map((share, k) => share - (expected[k] as number));
  return {
    meanAbsolute: gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / K,
    rootMeanSquared: Math.sqrt(gaps.reduce((sum, gap) => sum + gap ** 2, 0) / K),
    expected,
    observed,
  };
}

/**
 * Sharpness: the root of the mean predicted variance over all entries, in units of the targets. It is a property of the predictions alone.
 * Of two calibrated models the one with the lower number knows more.
 *
 * @returns the root. Errors are those of `gaussianNll`.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { sharpness } from 'tfjs-laplace';
 *
 * sharpness({ targets: [[0], [0]], mean: [[0], [0]], variance: [[1], [7]] }); // => E.right(2)
 * ```
 */
export const sharpness = (predictions: GaussianPredictions): E.Either<LaplaceError, number> =>
  sound(checkPredictions(predictions), () => {
    const all = entries(predictions);
    return Math.sqrt(all.reduce((sum, { variance }) => sum + variance, 0) / all.length);
  });
