/**
 * Area under the receiver operating characteristic: the probability that a positive example scores above a negative one, where a
 * tie counts half. It is exact, by ranks (Mann & Whitney 1947); ties have their mean rank. With R the sum of the positives'
 * ranks, AUROC = (R − P (P + 1) / 2) / (P · Q) for P positives and Q negatives. O(n log n).
 *
 * Laws: a strictly increasing map of all scores changes nothing; swapping the two groups gives 1 − AUROC.
 */
import type { either as E } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { ascending, checkOrdered, type Problem, sound } from './rows.js';

/** Scores of two groups: higher means positive. Infinite scores are ranked like any other. */
export interface ScoredGroups {
  readonly positives: ArrayLike<number>;
  readonly negatives: ArrayLike<number>;
}

/**
 * How well a score tells two groups apart: 1 perfectly, 0.5 not at all, 0 perfectly the wrong way round.
 *
 * For out-of-distribution detection the scores are uncertainties, and the foreign examples are the positives.
 *
 * @returns the area, in [0, 1]. `Empty` for a group without examples, `NotFinite` for NaN.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { auroc } from 'tfjs-laplace';
 *
 * auroc({ positives: [0.9, 0.4], negatives: [0.1, 0.4] }); // => E.right(0.875)
 * ```
 */
export const auroc = (groups: ScoredGroups): E.Either<LaplaceError, number> => sound(checkGroups(groups), () => area(groups));

/** Checks that both groups have examples, and no NaN. */
export const checkGroups = (groups: ScoredGroups): Problem =>
  checkOrdered(groups?.positives, 'positives') ?? checkOrdered(groups?.negatives, 'negatives');

function area({ positives, negatives }: ScoredGroups): number {
  const P = positives.length;
  const scores = [...Array.from(positives), ...Array.from(negatives)];
  const order = ascending(scores);
  let rankSum = 0;
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start] as number];
    let end = start;
    let tied = 0;
    for (; end < order.length && scores[order[end] as number] === score; end++) tied += (order[end] as number) < P ? 1 : 0;
    // The mean of the ranks start + 1 … end:
    rankSum += (tied * (start + 1 + end)) / 2;
    start = end;
  }
  return (rankSum - (P * (P + 1)) / 2) / (P * negatives.length);
}
