/**
 * RAPS, regularised adaptive prediction sets: the score of APS with a penalty for each class beyond the first few,
 *
 *   s_c = Σ_{r_k <= r_c} p_k − u p_c + λ max(0, r_c − k_reg).
 *
 * It keeps sets small where many classes have a little probability. Reference: Angelopoulos, Bates, Malik & Jordan 2021, equation 4 and
 * algorithm 2, with 1 − u for their u.
 */
import { boolean, defaulted, make, nonNegative, nonNegativeInteger, type Options, seed, variant } from '../../codec/index.js';
import { ranked } from './cumulative.js';
import type { ClassScoreRule } from './rule.js';

export const Raps = variant('raps', {
  /** λ >= 0, the penalty of each further class; default 0.01. */
  penalty: defaulted(nonNegative, 0.01),
  /** k_reg, the number of classes without a penalty; default 5. */
  free: defaulted(nonNegativeInteger, 5),
  /** As in `aps`. */
  randomised: defaulted(boolean, true),
  seed: defaulted(seed, 0),
});

/** The value of `raps`. */
export type RapsScore = (typeof Raps)['_A'];

/** Options of `raps`. */
export type RapsOptions = Options<typeof Raps>;

/** The score itself. */
export const rapsScores: ClassScoreRule<RapsScore> = ({ penalty, free }, row, u) => {
  const { ranks, sums } = ranked(row);
  return sums.map((sum, c) => sum - u * (row[c] as number) + penalty * Math.max(0, (ranks[c] as number) - free));
};

/**
 * The score of regularised adaptive prediction sets for `conformalSets` (Angelopoulos et al. 2021): the score of `aps`, plus `penalty`
 * (λ) for each class from rank `free` + 1 (k_reg + 1) on. Choose both without looking at the held-out examples.
 *
 * @throws LaplaceError `InvalidOption` for a penalty that is not >= 0, a rank that is no integer >= 0, or an unknown option.
 *
 * @example
 * ```ts
 * import { raps } from 'tfjs-laplace';
 *
 * raps({ penalty: 0.1, free: 2 }); // => { _tag: 'raps', penalty: 0.1, free: 2, randomised: true, seed: 0 }
 * ```
 */
export const raps = (options: RapsOptions = {}): RapsScore => make('raps', Raps, options);
