/**
 * The smooth calibration error (smooth ECE): a calibration error without bins. Residuals are smoothed with a kernel whose bandwidth is the
 * error itself, so nothing has to be chosen: a small error is looked at with a fine resolution. With d the mean distance to the nearest
 * calibrated predictions it lies between ½d and 2√d. ECE has no such bounds, and jumps where a prediction crosses an edge. Like ECE it is
 * above 0 by chance alone where examples are few. `smoothing.ts` has the formulas. Reference: Błasiok & Nakkiran 2023.
 */
import { either as E, function as F } from 'fp-ts';
import { defaulted, optional, optionsOf, refined, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { rightOnes } from './accuracy.js';
import { confidences } from './ece.js';
import { labelled, type NumberRows, problemOf } from './rows.js';
import { bandwidthOf, type SmoothSums, smoothErrorAt, smoothedSums, smoothSums } from './smoothing.js';

/** Options of `smoothCalibration`. */
export interface SmoothCalibrationOptions {
  /** The class whose probability is looked at: 1 for a binary classifier, say. By default it is the predicted class of each row. */
  readonly class?: number;
  /** Points of the curve, from 0 to 1, an integer >= 2. Default 200. */
  readonly points?: number;
}

/** A point of the smooth reliability curve. */
export interface SmoothPoint {
  /** t: the confidence, or the probability of the class. */
  readonly confidence: number;
  /** The share of predictions near t that is right: t plus their mean residual, within [0, 1]. */
  readonly accuracy: number;
  /** Predictions near t, as a density: its integral is 1. */
  readonly density: number;
}

export interface SmoothCalibration {
  /** The smooth calibration error, 0 to 1. */
  readonly ece: number;
  /** The bandwidth of the kernel. It equals `ece`, but is at least 1/512. */
  readonly bandwidth: number;
  /** The smooth reliability curve, where there are predictions: at points with a density of at least 0.001. */
  readonly curve: ReadonlyArray<SmoothPoint>;
}

const DEFAULT_POINTS = 200;
const LEAST_DENSITY = 1e-3;

const integerFrom = (least: number) =>
  refined(`an integer >= ${least}`, (value): value is number => Number.isSafeInteger(value) && (value as number) >= least);
const Options = struct('options', { class: optional(integerFrom(0)), points: defaulted(integerFrom(2), DEFAULT_POINTS) });

/**
 * The smooth calibration error of the predicted class, or of one class, with the smooth reliability curve.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns the error and the curve. Errors are those of `correctness`, and `InvalidInput` for a class that the rows do not have.
 * @throws LaplaceError `InvalidOption` for options out of range.
 *
 * @example
 * ```ts
 * import { orThrow, smoothCalibration } from 'tfjs-laplace';
 *
 * // All are predicted with 0.75, and half are right: the error is 0.25 where the bandwidth is.
 * const { ece, bandwidth } = orThrow(smoothCalibration([[0.75, 0.25], [0.75, 0.25]], [0, 1]));
 * ece; // => 0.25
 * bandwidth; // => 0.2500…
 *
 * const { curve } = orThrow(smoothCalibration([[0.2], [0.6]], [0, 1], { class: 1, points: 3 }));
 * curve.length; // => 3
 * ```
 */
export function smoothCalibration(
  probabilities: NumberRows,
  labels: ArrayLike<number>,
  options: SmoothCalibrationOptions = {},
): E.Either<LaplaceError, SmoothCalibration> {
  const { class: one, points } = optionsOf('smoothCalibration', Options, options);
  return F.pipe(
    labelled(probabilities, labels),
    E.filterOrElse(
      (rows) => one === undefined || one < (rows[0]?.length as number),
      (rows) => problemOf('class', String(one), `a class below ${rows[0]?.length}, the number of classes`),
    ),
    E.map((rows) => {
      const scores = one === undefined ? confidences(rows) : rows.map((row) => row[one] as number);
      const outcomes = one === undefined ? rightOnes(rows, labels) : rows.map((_, i) => (labels[i] === one ? 1 : 0));
      return smoothCalibrationOf(smoothSums(scores, outcomes), points);
    }),
  );
}

/** The smooth calibration of at least one example. */
export function smoothCalibrationOf(sums: SmoothSums, points: number = DEFAULT_POINTS): SmoothCalibration {
  const bandwidth = bandwidthOf(sums);
  const { residual, density } = smoothedSums(sums, bandwidth);
  const curve = Array.from({ length: points }, (_, j) => {
    const t = j / (points - 1);
    const d = density(t);
    return { confidence: t, accuracy: Math.min(1, Math.max(0, t + residual(t) / d)), density: d };
  });
  return { ece: smoothErrorAt(sums, bandwidth), bandwidth, curve: curve.filter((point) => point.density >= LEAST_DENSITY) };
}
