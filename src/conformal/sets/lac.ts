/**
 * LAC, the least ambiguous set-valued classifier: the score of class c is 1 − p_c. Its sets are the smallest on average if the
 * probabilities are right. Hard examples may get an empty set. Reference: Sadinle, Lei & Wasserman 2019.
 */
import { make, variant } from '../../codec/index.js';
import type { ClassScoreRule } from './rule.js';

export const Lac = variant('lac', {});

/** The value of `lac`. */
export type LacScore = (typeof Lac)['_A'];

/** The score itself. */
export const lacScores: ClassScoreRule<LacScore> = (_, row) => Float64Array.from(row, (p) => 1 - p);

/**
 * The score 1 − p_c for `conformalSets` (Sadinle, Lei & Wasserman 2019): the smallest sets on average. Some may be empty.
 *
 * @example
 * ```ts
 * import { lac } from 'tfjs-laplace';
 *
 * lac(); // => { _tag: 'lac' }
 * ```
 */
export const lac = (): LacScore => make('lac', Lac, {});
