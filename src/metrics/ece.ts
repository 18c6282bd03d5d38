/**
 * Calibration of the predicted class. Predictions go into M bins by their confidence, the highest probability. It is calibrated if 80 % of
 * the predictions made with confidence 0.8 are right, and likewise at every other confidence. No calibration error is a proper score:
 * compare it together with the NLL. O(N C), and O(N log N) for bins of equal mass. Reference: Naeini, Cooper & Hauskrecht 2015; Guo,
 * Pleiss, Sun & Weinberger 2017, eq. 3; bins of equal mass: Nixon et al. 2019 ("adaptive"); `reliability.ts` has the formulas.
 *
 * Bins are closed above, as in Guo et al. torchmetrics closes them below, which differs for confidences on an edge alone.
 */
import { either as E, function as F } from 'fp-ts';
import { optionsOf } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { rightOnes } from './accuracy.js';
import { binned, type CalibrationOptions, CalibrationOptionsCodec } from './bins.js';
import { type Calibration, calibrationOf } from './reliability.js';
import { labelled, type NumberRows } from './rows.js';

/**
 * Calibration errors and the reliability diagram of the predicted class.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns the errors and the diagram. Errors are those of `correctness`.
 * @throws LaplaceError `InvalidOption` if `bins` is not an integer >= 1, or for another binning.
 *
 * @example
 * ```ts
 * import { calibration, orThrow } from 'tfjs-laplace';
 *
 * const { ece, bins } = orThrow(calibration([[0.75, 0.25], [0.75, 0.25]], [0, 1], { bins: 2 }));
 * ece; // => 0.25
 * bins; // => [{ lower: 0.5, upper: 1, count: 2, confidence: 0.75, accuracy: 0.5 }]
 *
 * // Bins with equally many predictions:
 * const { mce } = orThrow(calibration([[0.75], [0.875], [0.25]], [0, 1, 0], { bins: 2, binning: 'mass' }));
 * mce; // => 0.25
 * ```
 */
export function calibration(
  probabilities: NumberRows,
  labels: ArrayLike<number>,
  options: CalibrationOptions = {},
): E.Either<LaplaceError, Calibration> {
  const { bins, binning } = optionsOf('calibration', CalibrationOptionsCodec, options);
  return F.pipe(
    labelled(probabilities, labels),
    E.map((rows) => calibrationOf(binned(confidences(rows), rightOnes(rows, labels), bins, binning))),
  );
}

/** The highest probability of each row, [N]. */
export const confidences = (rows: NumberRows): Float64Array =>
  Float64Array.from(rows, (row) => {
    let most = 0;
    for (let c = 0; c < row.length; c++) most = Math.max(most, row[c] as number);
    return most;
  });
