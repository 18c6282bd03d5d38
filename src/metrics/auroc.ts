/**
 * Area under the receiver operating characteristic: the probability that a positive example scores above a negative one, where a
 * tie counts half (Mann & Whitney 1947). It is exact: the area by trapezoids, with one point of the curve for each distinct score.
 * O(n log n).
 *
 * Laws: a strictly increasing map of all scores changes nothing; swapping the two groups gives 1 − AUROC.
 */
import type { either as E } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { sound } from './rows.js';
import { checkGroups, countsOf, rocArea, type ScoredGroups } from './thresholds.js';

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
export const auroc = (groups: ScoredGroups): E.Either<LaplaceError, number> =>
  sound(checkGroups(groups), () => rocArea(countsOf(groups)));
