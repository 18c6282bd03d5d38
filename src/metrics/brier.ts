/**
 * Brier score, mean over examples: 1/N Σ_i Σ_c (p_i[c] − [c = y_i])², from 0 (certain and right) to 2 (certain and wrong). It is
 * a strictly proper score, and bounded where the log-likelihood is not. O(N C). With two classes it is twice the score of class 1
 * alone. Reference: Brier 1950, eq. 2.
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { labelled, type NumberRows } from './rows.js';

/**
 * Mean Brier score.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns the mean score, in [0, 2]. Errors are those of `correctness`.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { brierScore } from 'tfjs-laplace';
 *
 * brierScore([[0.5, 0.5], [0, 1]], [0, 0]); // => E.right(1.25)
 * ```
 */
export function brierScore(probabilities: NumberRows, labels: ArrayLike<number>): E.Either<LaplaceError, number> {
  return F.pipe(
    labelled(probabilities, labels),
    E.map((rows) => brierOf(rows, labels).reduce((sum, score) => sum + score, 0) / rows.length),
  );
}

/** The score of each example, [N]. */
export const brierOf = (rows: NumberRows, labels: ArrayLike<number>): Float64Array =>
  Float64Array.from(rows, (row, i) => {
    let score = 0;
    for (let c = 0; c < row.length; c++) score += ((row[c] as number) - (c === labels[i] ? 1 : 0)) ** 2;
    return score;
  });
