/**
 * Entropy of each row of probabilities, in nats: H(p) = −Σ_c p_c log p_c, with 0 log 0 = 0; from 0 (certain) to log C (uniform).
 * O(N C). For mean predictive probabilities it is the total uncertainty. Reference: Shannon 1948, section 6.
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { classRows, type NumberRows } from './rows.js';

/**
 * Entropies [N] of class probabilities.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @returns entropies [N] in nats. `InvalidInput`, `NotFinite` or `Empty` for rows of another kind.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { entropy } from 'tfjs-laplace';
 *
 * entropy([[0.5, 0.5], [1, 0]]); // => E.right(Float64Array.of(Math.LN2, 0))
 * ```
 */
export const entropy = (probabilities: NumberRows): E.Either<LaplaceError, Float64Array> =>
  F.pipe(
    classRows(probabilities),
    E.map((rows) => Float64Array.from(rows, entropyOf)),
  );

function entropyOf(row: ArrayLike<number>): number {
  let sum = 0;
  for (let c = 0; c < row.length; c++) {
    const p = row[c] as number;
    if (p > 0) sum -= p * Math.log(p);
  }
  // A float32 probability that rounding lifted above 1 would give a negative entropy.
  return Math.max(0, sum);
}
