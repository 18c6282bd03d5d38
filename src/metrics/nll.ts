/**
 * Negative log-likelihood (log loss), mean over examples, in nats: −1/N Σ_i log p_i[y_i]. It is a strictly proper score: its
 * expectation is least for the true probabilities. O(N). A label of probability 0 gives Infinity, because nothing is clipped.
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { labelled, type NumberRows } from './rows.js';

/**
 * Mean negative log-likelihood of the labels.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns nats per example, >= 0. Errors are those of `correctness`.
 *
 * @example
 * ```ts
 * import { nll, orThrow } from 'tfjs-laplace';
 *
 * orThrow(nll([[0.5, 0.5], [0.25, 0.75]], [0, 0])); // => 1.0397…
 * orThrow(nll([[0.5], [0.75]], [0, 0])); // => 1.0397…
 * ```
 */
export function nll(probabilities: NumberRows, labels: ArrayLike<number>): E.Either<LaplaceError, number> {
  return F.pipe(
    labelled(probabilities, labels),
    E.map((rows) => nllOf(rows, labels).reduce((sum, loss) => sum + loss, 0) / rows.length),
  );
}

/** −log p[y] of each example, [N]. A float32 softmax may exceed 1 by a rounding, but the NLL of classes is never negative. */
export const nllOf = (rows: NumberRows, labels: ArrayLike<number>): Float64Array =>
  Float64Array.from(rows, (row, i) => Math.max(0, -Math.log(row[labels[i] as number] as number)));
