/**
 * Accuracy: the share of examples whose most probable class is their label; of equally probable classes the lowest one counts.
 * O(N C).
 */
import { checkClassification, type NumberRows, predictedClasses } from './rows.js';

/**
 * Which predictions are right.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns [N]: 1 where the most probable class is the label, else 0.
 * @throws LaplaceError for rows or labels of another kind.
 */
export function correctness(probabilities: NumberRows, labels: ArrayLike<number>): Uint8Array {
  const rows = checkClassification(probabilities, labels);
  return Uint8Array.from(predictedClasses(rows), (c, i) => (c === labels[i] ? 1 : 0));
}

/**
 * The share of predictions that are right, 0 to 1. It takes the same arguments as `correctness` and throws the same errors.
 *
 * @example
 * ```ts
 * import { accuracy } from 'tfjs-laplace';
 *
 * accuracy([[0.9, 0.1], [0.4, 0.6]], [0, 0]); // => 0.5
 * ```
 */
export const accuracy = (probabilities: NumberRows, labels: ArrayLike<number>): number =>
  correctness(probabilities, labels).reduce((sum, right) => sum + right, 0) / labels.length;
