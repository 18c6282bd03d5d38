/**
 * The mean of a value of each example, from sums: for every metric that is such a mean and has no summary of its own, such as pinball losses,
 * ranked probability scores of samples, or whether an interval holds its target. `summary.ts` has the laws.
 */
import { addMoments, type Estimate, estimateOf, type Moments, momentsOf, NO_MOMENTS } from './estimate.js';
import { checkFinite, sound } from './rows.js';
import { type Summary, summaryOf } from './summary.js';

/** Sums over examples. Plain data. */
export interface MeanSums {
  readonly _tag: 'meanSums';
  readonly moments: Moments;
}

/**
 * Adds up the mean of a value of each example over batches and parts of a data set, with its standard error, as `meanWithError` has it.
 *
 * @returns a monoid with `add(state, values)` and `value(state)`. `add` returns the errors of `meanWithError`.
 *
 * @example
 * ```ts
 * import { meanSummary, orThrow } from 'tfjs-laplace';
 *
 * const { add, concat, empty, value } = meanSummary();
 * const [here, there] = [orThrow(add(empty, [1])), orThrow(add(empty, [3]))];
 * orThrow(value(concat(here, there))); // => { value: 2, standardError: 1 }
 * ```
 */
export const meanSummary = (): Summary<readonly [values: ArrayLike<number>], MeanSums, Estimate> =>
  summaryOf<readonly [values: ArrayLike<number>], MeanSums, Estimate>({
    name: 'meanSummary',
    empty: { _tag: 'meanSums', moments: NO_MOMENTS },
    size: () => 'one mean',
    of: (values) => sound(checkFinite(values, 'values'), () => ({ _tag: 'meanSums', moments: momentsOf(values) })),
    concat: (a, b) => ({ _tag: 'meanSums', moments: addMoments(a.moments, b.moments) }),
    count: ({ moments }) => moments.count,
    value: ({ moments }) => estimateOf(moments),
  });
