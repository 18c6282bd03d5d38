/**
 * Calibration of every class, not of the predicted one alone: for class c the score is p[c] and the outcome is whether the label is c.
 *
 *   classwise ECE = 1/C Σ_c ECE_c
 *
 * It sees what the predicted class hides, such as a rare class that is always given too much. It is small where C is large, because most
 * probabilities are then near 0. O(N C). Reference: Kull et al. 2019, section 2; Nixon et al. 2019 ("static calibration error").
 */
import { either as E, function as F } from 'fp-ts';
import { optionsOf } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { binned, type CalibrationOptions, CalibrationOptionsCodec } from './bins.js';
import { type Calibration, calibrationOf } from './reliability.js';
import { labelled, type NumberRows } from './rows.js';

export interface ClasswiseCalibration {
  /** The mean expected calibration error of the classes, 0 to 1. */
  readonly ece: number;
  /** [C]: of class c, `confidence` is the mean p[c], and `accuracy` the share of the labels that are c. */
  readonly classes: ReadonlyArray<Calibration>;
}

/**
 * Calibration errors and reliability diagrams of all classes.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns the mean error, and the calibration of each class. Errors are those of `correctness`.
 * @throws LaplaceError `InvalidOption` if `bins` is not an integer >= 1, or for another binning.
 *
 * @example
 * ```ts
 * import { classwiseCalibration, orThrow } from 'tfjs-laplace';
 *
 * const { ece, classes } = orThrow(classwiseCalibration([[0.75, 0.25, 0], [0.75, 0.25, 0]], [0, 2]));
 * classes.map((one) => one.ece); // => [0.25, 0.25, 0.5]
 * ece; // => 0.3333…
 * ```
 */
export function classwiseCalibration(
  probabilities: NumberRows,
  labels: ArrayLike<number>,
  options: CalibrationOptions = {},
): E.Either<LaplaceError, ClasswiseCalibration> {
  const { bins, binning } = optionsOf('classwiseCalibration', CalibrationOptionsCodec, options);
  return F.pipe(
    labelled(probabilities, labels),
    E.map((rows) =>
      classwiseOf(eachClass(rows, labels, (scores, outcomes) => calibrationOf(binned(scores, outcomes, bins, binning)))),
    ),
  );
}

export const classwiseOf = (classes: ReadonlyArray<Calibration>): ClasswiseCalibration => ({
  ece: classes.reduce((sum, { ece }) => sum + ece, 0) / classes.length,
  classes,
});

/** A value for each class, from its probabilities [N] and whether it is the label [N]. */
export const eachClass = <A>(
  rows: NumberRows,
  labels: ArrayLike<number>,
  of: (scores: Float64Array, outcomes: Uint8Array) => A,
): ReadonlyArray<A> =>
  Array.from(rows[0] as ArrayLike<number>, (_, c) =>
    of(
      Float64Array.from(rows, (row) => row[c] as number),
      Uint8Array.from(rows, (_row, i) => (labels[i] === c ? 1 : 0)),
    ),
  );
