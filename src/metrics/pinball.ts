/**
 * Pinball (quantile) loss of predicted quantiles q at a level τ, mean over all entries of rows [N][C], in units of the targets:
 *
 *   y >= q: τ (y − q),   y < q: (1 − τ) (q − y)
 *
 * Its expectation is least for the true quantile. At τ = 0.5 it is half the absolute error. O(N C). Reference: Koenker & Bassett 1978.
 */
import type { either as E } from 'fp-ts';
import { argument, probability } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { checkAlike } from './gaussian.js';
import { type NumberRows, sound } from './rows.js';

/**
 * Mean pinball loss.
 *
 * @param targets [N][C].
 * @param quantiles [N][C], such as an end of `credibleIntervals`: the upper end of level 0.9 is the quantile 0.95.
 * @param level τ, the probability below the quantile, in (0, 1).
 * @returns the mean, >= 0, or `InvalidInput`, `NotFinite` or `Empty` for rows that differ in shape or are not finite.
 * @throws LaplaceError `InvalidOption` for a level outside (0, 1).
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { pinballLoss } from 'tfjs-laplace';
 *
 * pinballLoss([[4], [0]], [[2], [2]], 0.75); // => E.right(1)
 * ```
 */
export function pinballLoss(targets: NumberRows, quantiles: NumberRows, level: number): E.Either<LaplaceError, number> {
  const tau = argument('pinballLoss', 'level', probability, level);
  return sound(checkAlike(targets, quantiles, 'quantiles'), () => {
    const losses = targets.flatMap((row, i) =>
      Array.from(row, (y, c) => {
        const above = y - (quantiles[i]?.[c] as number);
        return above >= 0 ? tau * above : (tau - 1) * above;
      }),
    );
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  });
}
