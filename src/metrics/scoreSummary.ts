/**
 * AUROC from histograms of the scores of both groups, with its error. Two scores in different bins are in the right order, and of two in the
 * same bin the order is lost: they count one half, as ties do. With p_b and q_b positives and negatives in bin b, out of P and Q:
 *
 *   |AUROC of the histograms − AUROC| <= ½ Σ_b p_b q_b / (P Q)
 *
 * The exact AUROC depends on the order of all scores, so nothing smaller than the scores has it: to have it of parts, concatenate their
 * scores. `summary.ts` has the laws.
 */
import type { either as E } from 'fp-ts';
import { defaulted, finite, optionsOf, positiveInteger, struct } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { checkOrdered, type Problem, sound } from './rows.js';
import { type Summary, summaryOf } from './summary.js';
import type { ScoredGroups } from './thresholds.js';

/** Options of `scoreSummary`. */
export interface ScoreSummaryOptions {
  /** The number of bins of equal width, an integer >= 1. Default 1000. */
  readonly bins?: number;
  /** Where the first bin begins. It also takes what is lower. Default 0. */
  readonly lower?: number;
  /** Where the last bin ends. It also takes what is higher. Default 1. For entropies take log C. */
  readonly upper?: number;
}

/** Histograms of two groups. Plain data. */
export interface ScoreCounts {
  readonly _tag: 'scoreCounts';
  readonly lower: number;
  readonly upper: number;
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** The area with the bound of its error. */
export interface BoundedAuroc {
  readonly auroc: number;
  /** The exact AUROC lies within auroc ± error. */
  readonly error: number;
}

const Options = struct('options', {
  bins: defaulted(positiveInteger, 1000),
  lower: defaulted(finite, 0),
  upper: defaulted(finite, 1),
});

/**
 * Adds up the histograms of two groups of scores over batches and parts of a data set, for the AUROC.
 *
 * @returns a monoid with `add(state, groups)`, where a group may be empty, and `value(state)`, which is `Empty` as long as a group has no
 *   example. `concat` throws `InvalidInput` for states of other options.
 * @throws LaplaceError `InvalidOption` for options out of range, or if `upper` is not above `lower`.
 *
 * @example
 * ```ts
 * import { orThrow, scoreSummary } from 'tfjs-laplace';
 *
 * const { add, concat, empty, value } = scoreSummary({ bins: 10 });
 * const here = orThrow(add(empty, { positives: [0.95, 0.45], negatives: [] }));
 * const there = orThrow(add(empty, { positives: [], negatives: [0.15, 0.42] }));
 * orThrow(value(concat(here, there))); // => { auroc: 0.875, error: 0.125 }
 * ```
 */
export function scoreSummary(
  options: ScoreSummaryOptions = {},
): Summary<readonly [groups: ScoredGroups], ScoreCounts, BoundedAuroc> {
  const { bins, lower, upper } = optionsOf('scoreSummary', Options, options);
  if (!(upper > lower)) {
    const expected = `a number above lower, ${lower}`;
    throw laplaceError('InvalidOption', { what: 'upper', field: 'upper', found: String(upper), expected });
  }
  const counts = (scores: ArrayLike<number>) => {
    const found = new Float64Array(bins);
    for (let i = 0; i < scores.length; i++) {
      const place = Math.floor(bins * (((scores[i] as number) - lower) / (upper - lower)));
      const b = Math.max(0, Math.min(bins - 1, place));
      found[b] = (found[b] as number) + 1;
    }
    return found;
  };
  const of = (groups: ScoredGroups): E.Either<LaplaceError, ScoreCounts> =>
    sound(checkGroup(groups?.positives, 'positives') ?? checkGroup(groups?.negatives, 'negatives'), () => ({
      _tag: 'scoreCounts',
      lower,
      upper,
      positives: counts(groups.positives),
      negatives: counts(groups.negatives),
    }));
  return summaryOf<readonly [groups: ScoredGroups], ScoreCounts, BoundedAuroc>({
    name: 'scoreSummary',
    empty: { _tag: 'scoreCounts', lower, upper, positives: new Float64Array(bins), negatives: new Float64Array(bins) },
    size: (state) => `${state.positives.length} bins from ${state.lower} to ${state.upper}`,
    of,
    concat: (a, b) => ({
      ...a,
      positives: a.positives.map((count, i) => count + (b.positives[i] as number)),
      negatives: a.negatives.map((count, i) => count + (b.negatives[i] as number)),
    }),
    count: ({ positives, negatives }) => Math.min(total(positives), total(negatives)),
    value: areaOf,
  });
}

/** A group of a batch may have no example, so an `Empty` of it is none. */
const checkGroup = (scores: ArrayLike<number>, field: string): Problem => {
  const problem = checkOrdered(scores, field);
  return problem?.kind === 'Empty' ? undefined : problem;
};

const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);

function areaOf({ positives, negatives }: ScoreCounts): BoundedAuroc {
  const pairs = total(positives) * total(negatives);
  let [below, ordered, tied] = [0, 0, 0];
  positives.forEach((p, b) => {
    const q = negatives[b] as number;
    ordered += p * below;
    tied += p * q;
    below += q;
  });
  return { auroc: (ordered + tied / 2) / pairs, error: tied / 2 / pairs };
}
