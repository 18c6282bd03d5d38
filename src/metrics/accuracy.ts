/**
 * Accuracy: the share of examples whose most probable class is their label. If several classes are equally probable, the lowest
 * one counts. O(N C).
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { labelled, type NumberRows, predictedClasses } from './rows.js';

/**
 * Which predictions are right.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns [N]: 1 if the most probable class is the label, otherwise 0. `InvalidInput`, `InvalidLabels`, `NotFinite` or `Empty` for
 *   rows or labels of another kind.
 */
export function correctness(probabilities: NumberRows, labels: ArrayLike<number>): E.Either<LaplaceError, Uint8Array> {
  return F.pipe(
    labelled(probabilities, labels),
    E.map((rows) => rightOnes(rows, labels)),
  );
}

/** 1 where the most probable class is the label, otherwise 0. [N] */
export const rightOnes = (rows: NumberRows, labels: ArrayLike<number>): Uint8Array =>
  Uint8Array.from(predictedClasses(rows), (c, i) => (c === labels[i] ? 1 : 0));

/**
 * The share of predictions that are right, 0 to 1. Arguments and errors are those of `correctness`.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { accuracy, orThrow } from 'tfjs-laplace';
 *
 * accuracy([[0.9, 0.1], [0.4, 0.6]], [0, 0]); // => E.right(0.5)
 * orThrow(accuracy([[0.9, 0.1], [0.4, 0.6]], [0, 1])); // => 1
 * E.isLeft(accuracy([[0.9, 0.1]], [0, 1])); // => true
 * ```
 */
export const accuracy = (probabilities: NumberRows, labels: ArrayLike<number>): E.Either<LaplaceError, number> =>
  F.pipe(
    correctness(probabilities, labels),
    E.map((right) => right.reduce((sum, one) => sum + one, 0) / labels.length),
  );
