/**
 * How far the mean of N examples may be from the mean over all examples that could have been drawn:
 *
 *   standard error = s / √N,   s² = 1/(N − 1) Σ_i (x_i − x̄)²
 *
 * The examples are independent. Two models on the same examples are compared by the mean of the differences: what makes an example hard
 * for both cancels, so its standard error is often far smaller than that of either mean. O(N).
 *
 * Moments of disjoint parts add up (Chan, Golub & LeVeque 1983): no digits are lost to a large mean.
 */
import type { either as E } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { checkCount, checkFinite, sound } from './rows.js';

/** A number with its standard error, in the same unit. */
export interface Estimate {
  readonly value: number;
  /** Infinity where nothing is known about it: for one example, or an infinite value. */
  readonly standardError: number;
}

/**
 * The mean of a value of each example, such as a loss, with its standard error.
 *
 * @param values [N], finite.
 * @returns the mean, or `Empty`, `InvalidInput` or `NotFinite` for a list that is empty or holds other things.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { meanWithError } from 'tfjs-laplace';
 *
 * meanWithError([1, 3]); // => E.right({ value: 2, standardError: 1 })
 * ```
 */
export const meanWithError = (values: ArrayLike<number>): E.Either<LaplaceError, Estimate> =>
  sound(checkFinite(values, 'values'), () => estimateOf(momentsOf(values)));

/**
 * The mean difference of two models on the same examples, values − baseline, with its standard error.
 *
 * @param values [N], finite: a loss of each example under a model.
 * @param baseline [N], finite: the loss of the same examples under another model.
 * @returns the mean difference, or `Empty`, `InvalidInput` or `NotFinite` for lists that are empty, differ in length, or hold other things.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { pairedDifference } from 'tfjs-laplace';
 *
 * pairedDifference([1, 9, 5], [2, 10, 6]); // => E.right({ value: -1, standardError: 0 })
 * ```
 */
export const pairedDifference = (values: ArrayLike<number>, baseline: ArrayLike<number>): E.Either<LaplaceError, Estimate> =>
  sound(
    checkFinite(values, 'values') ?? checkFinite(baseline, 'baseline') ?? checkCount(baseline.length, values.length, 'baseline'),
    () => differenceOf(values, baseline),
  );

export const differenceOf = (values: ArrayLike<number>, baseline: ArrayLike<number>): Estimate =>
  estimateOf(momentsOf(Float64Array.from(values, (value, i) => value - (baseline[i] as number))));

/** What the mean and its standard error need. Plain data. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Σ (x − mean)² */
  readonly squares: number;
}

export const NO_MOMENTS: Moments = { count: 0, mean: 0, squares: 0 };

export function momentsOf(values: ArrayLike<number>): Moments {
  const count = values.length;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < count; i++) sum += values[i] as number;
  const mean = count === 0 ? 0 : sum / count;
  for (let i = 0; i < count; i++) squares += ((values[i] as number) - mean) ** 2;
  return { count, mean, squares };
}

export function addMoments(a: Moments, b: Moments): Moments {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const mean = (a.count * a.mean + b.count * b.mean) / count;
  return { count, mean, squares: a.squares + b.squares + ((a.count * b.count) / count) * (a.mean - b.mean) ** 2 };
}

/** An infinite mean (the NLL of an impossible label) makes the squares NaN. */
export const estimateOf = ({ count, mean, squares }: Moments): Estimate => ({
  value: mean,
  standardError: count > 1 && Number.isFinite(squares) ? Math.sqrt(squares / (count - 1) / count) : Number.POSITIVE_INFINITY,
});
