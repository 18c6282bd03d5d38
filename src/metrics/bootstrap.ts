/**
 * The bootstrap: how a statistic of N examples varies if N examples are drawn from them again, with replacement. For statistics that are
 * no means, such as calibration errors and areas. Replicate r takes its indices from the generator's stream r, so that a seed gives the
 * same numbers on every machine, and more resamples keep the first ones.
 *
 *   standard error = standard deviation of the replicates
 *   interval = quantiles (1 − level) / 2 and (1 + level) / 2 of the replicates ("percentile"), linear between two of them
 *
 * A biased statistic, such as the ECE, has biased replicates: the interval can lie above the value. For a difference to a baseline, let
 * the statistic be the difference on the same indices. Cost: `resamples` + 1 times the statistic. Reference: Efron & Tibshirani 1993,
 * chapters 6 and 13.
 */
import { either as E } from 'fp-ts';
import {
  argument,
  atLeastTwo,
  defaulted,
  func,
  hasFields,
  optionsOf,
  positiveInteger,
  probability,
  seed,
  struct,
} from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { foldIn, key, uniforms } from '../random/index.js';
import { type Estimate, momentsOf } from './estimate.js';
import { problemOf } from './rows.js';

/** A number that is computed from the examples with these indices, or the reason why it can't be. An index may be there several times. */
export type Statistic = (indices: Uint32Array) => E.Either<LaplaceError, number>;

/** Options of `bootstrap`. */
export interface BootstrapOptions {
  /** An integer >= 2. Default 1000. */
  readonly resamples?: number;
  /** Probability of the interval, in (0, 1). Default 0.95. */
  readonly level?: number;
  /** An integer from 0 to 2³² − 1. Default 0. */
  readonly seed?: number;
}

/** The statistic of all examples, its standard error, and the ends of the percentile interval. */
export interface BootstrapEstimate extends Estimate {
  readonly lower: number;
  readonly upper: number;
}

/** How many resamples: one has no spread. */
export const resampleCount = (fallback: number) => defaulted(atLeastTwo, fallback);

const Options = struct('options', {
  resamples: resampleCount(1000),
  level: defaulted(probability, 0.95),
  seed: defaulted(seed, 0),
});

/**
 * A statistic with its standard error and a percentile interval.
 *
 * @param count N, an integer >= 1.
 * @param statistic a pure function of indices [N], each from 0 to N − 1.
 * @returns the estimate; the first error of the statistic; or `NotFinite` if it gives NaN or infinity.
 * @throws LaplaceError `InvalidOption` for another count, something that is no function, or options out of range.
 *
 * @example
 * ```ts
 * import { either as E, function as F } from 'fp-ts';
 * import { bootstrap, calibration, orThrow } from 'tfjs-laplace';
 *
 * const rows = Array.from({ length: 50 }, (_, i) => [i / 50] as const);
 * const labels = rows.map(([p]) => (p > 0.6 ? 1 : 0));
 * const drawn = <A>(list: ReadonlyArray<A>, indices: Uint32Array) => Array.from(indices, (i) => list[i] as A);
 * const { value, lower, upper } = orThrow(
 *   bootstrap(50, (indices) => F.pipe(calibration(drawn(rows, indices), drawn(labels, indices)), E.map(({ mce }) => mce))),
 * );
 * lower <= value && value <= upper; // => true
 * ```
 */
export function bootstrap(
  count: number,
  statistic: Statistic,
  options: BootstrapOptions = {},
): E.Either<LaplaceError, BootstrapEstimate> {
  const N = argument('bootstrap', 'count', positiveInteger, count);
  const of = argument('bootstrap', 'statistic', func<Statistic>('a function of indices'), statistic);
  const { resamples, level, seed: root } = optionsOf('bootstrap', Options, options);
  const all = finite(of(Uint32Array.from({ length: N }, (_, i) => i)));
  if (E.isLeft(all)) return all;
  const replicates = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    const replicate = finite(of(resample(N, root, r)));
    if (E.isLeft(replicate)) return replicate;
    replicates[r] = replicate.right;
  }
  replicates.sort();
  return E.right({
    value: all.right,
    standardError: deviationOf(replicates),
    lower: quantile(replicates, (1 - level) / 2),
    upper: quantile(replicates, (1 + level) / 2),
  });
}

/** N indices drawn from 0 … N − 1 with replacement. A uniform number is below 1, so an index is below N. */
export const resample = (N: number, root: number, r: number): Uint32Array =>
  Uint32Array.from(uniforms(foldIn(key(root), r), N), (u) => Math.floor(u * N));

/** The standard deviation, with R − 1. */
export const deviationOf = (replicates: ArrayLike<number>): number =>
  Math.sqrt(momentsOf(replicates).squares / (replicates.length - 1));

function finite(result: E.Either<LaplaceError, number>): E.Either<LaplaceError, number> {
  if (hasFields('left')(result)) return result;
  const value: unknown = (result as Partial<E.Right<number>> | undefined)?.right;
  if (typeof value === 'number' && Number.isFinite(value)) return result;
  const kind = typeof value === 'number' ? 'NotFinite' : 'InvalidInput';
  const remedy = 'The statistic returns an Either, as the metrics do: E.right(number).';
  return E.left(problemOf('statistic', `a result of ${String(value)}`, 'a finite number', kind, remedy));
}

function quantile(ascending: Float64Array, p: number): number {
  const at = p * (ascending.length - 1);
  const k = Math.floor(at);
  const [below, above] = [ascending[k] as number, ascending[Math.min(k + 1, ascending.length - 1)] as number];
  return below + (at - k) * (above - below);
}
