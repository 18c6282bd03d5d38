/**
 * The probability integral transform (PIT) of predictions: the predicted probability of a label at most as large as the target. It is uniform
 * on (0, 1) for calibrated predictions. So the share p of the targets should lie at or below the predicted quantile of level p:
 *
 *   expected p_k = k / (K − 1), k = 0 … K − 1,   observed o_k = share of entries with PIT <= p_k
 *   mean absolute error = 1/K Σ_k |o_k − p_k|,   root mean squared error = √(1/K Σ_k (o_k − p_k)²)
 *
 * These are the definitions of Uncertainty Toolbox for quantiles (`prop_type='quantile'`) and its 100 levels. Unlike the error of central
 * intervals they also show a bias. A level is an edge of a bin of the histogram, so counts of K − 1 bins, and of zeros, have all of this
 * exactly. O(N C). Reference: Dawid 1984; Gneiting, Balabdaoui & Raftery 2007 (transform); Kuleshov, Fenner & Ermon 2018 (levels).
 */
import type { either as E } from 'fp-ts';
import { optionsOf } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { normalProbability } from '../random/normal.js';
import { checkPredictions, type GaussianPredictions } from './gaussian.js';
import { total } from './histogram.js';
import { curveOf, LevelOptions, levelCounts } from './intervals.js';
import { checkRows, type NumberRows, type Problem, problemOf, sound } from './rows.js';

export interface QuantileCalibration {
  /** Mean absolute calibration error of the quantiles, 0 to ½ or so. */
  readonly meanAbsolute: number;
  /** Root mean squared calibration error of the quantiles. */
  readonly rootMeanSquared: number;
  /** Levels of the quantiles, from 0 to 1. [K] */
  readonly expected: Float64Array;
  /** The share of entries whose target is at most the predicted quantile. [K] */
  readonly observed: Float64Array;
  /** The share of entries whose PIT lies between a level and the next, which is included. The first bin also holds 0. [K − 1] */
  readonly histogram: Float64Array;
}

/** Options of `quantileCalibration` and `pitSummary`. */
export interface QuantileCalibrationOptions {
  /** K, the number of levels from 0 to 1, both included; an integer >= 2. The histogram has K − 1 bins. Default 100. */
  readonly levels?: number;
}

/**
 * The probability integral transform: the predicted probability of a label at most as large as the target. A histogram that is high in the
 * middle shows intervals that are too wide, one that is high at the ends intervals that are too narrow, and a slope a bias.
 *
 * @returns a number in [0, 1] for each entry, [N][C]. Errors are those of `gaussianNll`.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { pitValues } from 'tfjs-laplace';
 *
 * pitValues({ targets: [[3]], mean: [[3]], variance: [[2]] }); // => E.right([Float64Array.of(0.5)])
 * ```
 */
export const pitValues = (predictions: GaussianPredictions): E.Either<LaplaceError, ReadonlyArray<Float64Array>> =>
  sound(checkPredictions(predictions), () => pitOf(predictions));

/** The transform of sound predictions. */
export const pitOf = ({ targets, mean, variance }: GaussianPredictions): ReadonlyArray<Float64Array> =>
  targets.map((row, i) =>
    Float64Array.from(row, (y, c) => {
      const z = (y - (mean[i]?.[c] as number)) / Math.sqrt(variance[i]?.[c] as number);
      return Math.min(1, Math.max(0, normalProbability(z)));
    }),
  );

/**
 * Calibration errors of predicted quantiles, with the curve of observed against expected shares and the histogram of the PIT.
 *
 * @param pit PIT values [N][C] in [0, 1], as `pitValues` gives them, or those of another predictive distribution.
 * @returns the errors, the curve and the histogram, or `Empty`, `InvalidInput` or `NotFinite` for rows that differ in length, or hold other
 *   things than numbers in [0, 1].
 * @throws LaplaceError `InvalidOption` if `levels` is not an integer >= 2.
 *
 * @example
 * ```ts
 * import { orThrow, quantileCalibration } from 'tfjs-laplace';
 *
 * const { expected, observed, histogram, meanAbsolute } = orThrow(quantileCalibration([[0.2], [0.5], [0.6], [1]], { levels: 3 }));
 * expected; // => Float64Array.of(0, 0.5, 1)
 * observed; // => Float64Array.of(0, 0.5, 1)
 * histogram; // => Float64Array.of(0.5, 0.5)
 * meanAbsolute; // => 0
 * ```
 */
export function quantileCalibration(
  pit: NumberRows,
  options: QuantileCalibrationOptions = {},
): E.Either<LaplaceError, QuantileCalibration> {
  const { levels } = optionsOf('quantileCalibration', LevelOptions, options);
  return sound(checkPit(pit), () => quantilesOf(pitCounts(pit, levels)));
}

/** How many values have each level as their first one, [K]. */
export const pitCounts = (pit: NumberRows, levels: number): Float64Array =>
  levelCounts(
    pit.flatMap((row) => Array.from(row)),
    levels,
  );

export function quantilesOf(counts: Float64Array): QuantileCalibration {
  const all = total(counts);
  const inBin = (k: number) => (counts[k + 1] as number) + (k === 0 ? (counts[0] as number) : 0);
  return { ...curveOf(counts), histogram: Float64Array.from({ length: counts.length - 1 }, (_, k) => inBin(k) / all) };
}

/** Checks that rows hold numbers in [0, 1]. */
export function checkPit(pit: NumberRows): Problem {
  const problem = checkRows(pit, 'pit');
  if (problem !== undefined) return problem;
  const outside = (p: number) => !(p >= 0 && p <= 1);
  const i = pit.findIndex((row) => Array.from(row).some(outside));
  const c = Array.from(pit[i] ?? []).findIndex(outside);
  return i < 0 ? undefined : problemOf(`pit[${i}][${c}]`, String(pit[i]?.[c]), 'a number in [0, 1]');
}
