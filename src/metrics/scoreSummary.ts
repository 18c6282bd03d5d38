/**
 * AUROC, average precision and false positive rate from histograms of the scores of both groups. They depend on the order of all scores, so
 * nothing smaller than the scores has them exactly, and each has the bounds that `scoreBounds.ts` derives. More bins make them narrower.
 * Where each bin holds one distinct value, they are exact. To have them exactly of other parts, concatenate their scores. `summary.ts` has the
 * laws.
 */
import type { either as E } from 'fp-ts';
import { optionsOf, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { positiveRate } from './detection.js';
import { addExtremes, addLists, extremesOf, HISTOGRAM, noExtremes, placer, sumsIn, total } from './histogram.js';
import { checkOrdered, type Problem, sound } from './rows.js';
import { type GroupCounts, type ScoreMetrics, scoreBounds } from './scoreBounds.js';
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
  /** The least true positive rate for `fprAtTpr`, in (0, 1]. Default 0.95. */
  readonly rate?: number;
}

/** Histograms of two groups. Plain data. */
export interface ScoreCounts extends GroupCounts {
  readonly _tag: 'scoreCounts';
  readonly lower: number;
  readonly upper: number;
}

const Options = struct('options', { ...HISTOGRAM, rate: positiveRate });

/**
 * Adds up the histograms of two groups of scores over batches and parts of a data set, for `auroc`, `aupr` and `fprAtTpr`, each with the error
 * within which its exact value lies.
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
 * const { auroc, aupr, fprAtTpr } = orThrow(value(concat(here, there)));
 * auroc; // => { value: 0.875, error: 0.125 }
 * aupr.value; // => 0.9166…
 * aupr.error; // => 0.0833…
 * fprAtTpr; // => { value: 0.25, error: 0.25 }
 * ```
 */
export function scoreSummary(
  options: ScoreSummaryOptions = {},
): Summary<readonly [groups: ScoredGroups], ScoreCounts, ScoreMetrics> {
  const { bins, lower, upper, rate } = optionsOf('scoreSummary', Options, options);
  const place = placer(bins, [lower, upper]);
  const part = (scores: ArrayLike<number>) => {
    const places = Uint32Array.from(scores, place);
    return { counts: sumsIn(places, bins), extremes: extremesOf(scores, places, bins) };
  };
  return summaryOf<readonly [groups: ScoredGroups], ScoreCounts, ScoreMetrics>({
    name: 'scoreSummary',
    empty: {
      _tag: 'scoreCounts',
      lower,
      upper,
      positives: new Float64Array(bins),
      negatives: new Float64Array(bins),
      ...noExtremes(bins),
    },
    size: (state) => `${state.positives.length} bins from ${state.lower} to ${state.upper}`,
    of: (groups): E.Either<LaplaceError, ScoreCounts> =>
      sound(checkGroup(groups?.positives, 'positives') ?? checkGroup(groups?.negatives, 'negatives'), () => {
        const [positives, negatives] = [part(groups.positives), part(groups.negatives)];
        return {
          _tag: 'scoreCounts',
          lower,
          upper,
          positives: positives.counts,
          negatives: negatives.counts,
          ...addExtremes(positives.extremes, negatives.extremes),
        };
      }),
    concat: (a, b) => ({
      ...a,
      positives: addLists(a.positives, b.positives),
      negatives: addLists(a.negatives, b.negatives),
      ...addExtremes(a, b),
    }),
    count: ({ positives, negatives }) => Math.min(total(positives), total(negatives)),
    value: (counts) => scoreBounds(counts, rate),
  });
}

/** A group of a batch may have no example, so an `Empty` of it is none. */
const checkGroup = (scores: ArrayLike<number>, field: string): Problem => {
  const problem = checkOrdered(scores, field);
  return problem?.kind === 'Empty' ? undefined : problem;
};
