/**
 * APS, adaptive prediction sets: the score of class c is the sum of the probabilities of all classes that are at least as probable,
 *
 *   s_c = Σ_{r_k <= r_c} p_k − u p_c,   r = rank (1 for the most probable),   u ~ U(0, 1), or 0 without randomisation.
 *
 * Sets grow where the network is unsure. Reference: Romano, Sesia & Candès 2020, equations 5 to 9, with 1 − u for their u. Without
 * randomisation a set ends before the class that crosses the threshold, and the held-out scores count their own class.
 */
import { boolean, defaulted, make, type Options, seed, variant } from '../../codec/index.js';
import { ranked } from './cumulative.js';
import type { ClassScoreRule } from './rule.js';

export const Aps = variant('aps', {
  /** Whether a random part of the class's own probability is taken off; default true. Without it sets are larger than they need be. */
  randomised: defaulted(boolean, true),
  /** For the random parts; default 0. */
  seed: defaulted(seed, 0),
});

/** The value of `aps`. */
export type ApsScore = (typeof Aps)['_A'];

/** Options of `aps`. */
export type ApsOptions = Options<typeof Aps>;

/** The score itself. */
export const apsScores: ClassScoreRule<ApsScore> = (_, row, u) => ranked(row).sums.map((sum, c) => sum - u * (row[c] as number));

/**
 * The score of adaptive prediction sets for `conformalSets` (Romano, Sesia & Candès 2020): the sum of the probabilities from the most
 * probable class down to the class itself. With `randomised` (the default) a share u ~ U(0, 1) of the class's own probability is taken
 * off, and some sets may be empty.
 *
 * @throws LaplaceError `InvalidOption` for an unknown option, or a seed that is no 32-bit integer >= 0.
 *
 * @example
 * ```ts
 * import { aps } from 'tfjs-laplace';
 *
 * aps({ randomised: false }); // => { _tag: 'aps', randomised: false, seed: 0 }
 * ```
 */
export const aps = (options: ApsOptions = {}): ApsScore => make('aps', Aps, options);
