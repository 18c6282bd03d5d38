/**
 * Calibration of the predicted class. Predictions go into M bins of equal width by their confidence (the highest probability):
 *
 *   ECE = Σ_m (n_m / N) |accuracy_m − confidence_m|,   bin m = ((m − 1) / M, m / M],
 *
 * It is 0 if 80 % of the predictions made with confidence 0.8 are right, and likewise at every other confidence. It is not a
 * proper score: compare it together with the NLL. It is biased upwards when bins hold few examples. O(N C). Reference: Naeini,
 * Cooper & Hauskrecht 2015; Guo, Pleiss, Sun & Weinberger 2017, eq. 3.
 */
import { either as E, function as F } from 'fp-ts';
import { defaulted, optionsOf, positiveInteger, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { correctness } from './accuracy.js';
import { classRows, type NumberRows } from './rows.js';

/** Predictions whose confidence lies in (lower, upper]. */
export interface ReliabilityBin {
  readonly lower: number;
  readonly upper: number;
  /** Predictions in the bin, >= 1. */
  readonly count: number;
  /** Their mean confidence. */
  readonly confidence: number;
  /** The share of them that is right. */
  readonly accuracy: number;
}

export interface Calibration {
  /** Expected calibration error, 0 to 1. */
  readonly ece: number;
  /** The reliability diagram: bins with a prediction in them, by ascending confidence. */
  readonly bins: ReadonlyArray<ReliabilityBin>;
}

export interface CalibrationOptions {
  /** M, an integer >= 1. Default 15. */
  readonly bins?: number;
}

const Options = struct('options', { bins: defaulted(positiveInteger, 15) });

/**
 * Expected calibration error and the reliability diagram.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns the error and the diagram. Errors are those of `correctness`.
 * @throws LaplaceError `InvalidOption` if `bins` is not an integer >= 1.
 *
 * @example
 * ```ts
 * import { calibration, orThrow } from 'tfjs-laplace';
 *
 * const { ece, bins } = orThrow(calibration([[0.75, 0.25], [0.75, 0.25]], [0, 1], { bins: 2 }));
 * ece; // => 0.25
 * bins; // => [{ lower: 0.5, upper: 1, count: 2, confidence: 0.75, accuracy: 0.5 }]
 * ```
 */
export function calibration(
  probabilities: NumberRows,
  labels: ArrayLike<number>,
  options: CalibrationOptions = {},
): E.Either<LaplaceError, Calibration> {
  const { bins: M } = optionsOf('calibration', Options, options);
  return F.pipe(
    correctness(probabilities, labels),
    E.chain((right) =>
      F.pipe(
        classRows(probabilities),
        E.map((rows) => binned(rows, right, M)),
      ),
    ),
  );
}

function binned(probabilities: NumberRows, right: Uint8Array, M: number): Calibration {
  const sums = Array.from({ length: M }, () => ({ count: 0, confidence: 0, right: 0 }));
  probabilities.forEach((row, i) => {
    const confidence = Math.max(...Array.from(row));
    // Rounding can lift a float32 probability above 1. It then goes into the last bin.
    const bin = sums[Math.min(M, Math.ceil(confidence * M)) - 1] as (typeof sums)[number];
    bin.count += 1;
    bin.confidence += confidence;
    bin.right += right[i] as number;
  });
  const bins = sums.flatMap((bin, m) => {
    const { count } = bin;
    if (count === 0) return [];
    return [{ lower: m / M, upper: (m + 1) / M, count, confidence: bin.confidence / count, accuracy: bin.right / count }];
  });
  const ece = bins.reduce((sum, { count, confidence, accuracy }) => sum + count * Math.abs(accuracy - confidence), 0);
  return { ece: ece / right.length, bins };
}
