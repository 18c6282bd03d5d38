/**
 * Histograms of values that parts of a data set can share: M bins of equal width from `lower` to `upper`. The first bin also takes what is
 * lower, the last what is higher.
 *
 *   bin of v = ⌊M (v − lower) / (upper − lower)⌋, at least 0 and at most M − 1
 *
 * No step of it falls as v rises, also after rounding. So values of different bins are in the order of their bins. Within a bin the order is
 * lost, but each bin keeps its lowest and its highest value. Where they are equal, all its values are.
 */
import { defaulted, finite, positiveInteger } from '../codec/index.js';
import { laplaceError } from '../errors.js';

/** Options of a summary with bins. */
export const HISTOGRAM = {
  bins: defaulted(positiveInteger, 1000),
  lower: defaulted(finite, 0),
  upper: defaulted(finite, 1),
};

/**
 * The function that gives the bin of a value.
 *
 * @param names of both ends, for the error.
 * @throws LaplaceError `InvalidOption` if the upper end is not above the lower one, or their distance overflows.
 */
export function placer(
  bins: number,
  [lower, upper]: readonly [number, number],
  names: readonly [string, string] = ['lower', 'upper'],
): (value: number) => number {
  const width = upper - lower;
  if (!(width > 0 && Number.isFinite(width))) {
    const expected = `a number above ${names[0]}, ${lower}, at a finite distance`;
    throw laplaceError('InvalidOption', { what: names[1], field: names[1], found: String(upper), expected });
  }
  return (value) => Math.max(0, Math.min(bins - 1, Math.floor(bins * ((value - lower) / width))));
}

/** The lowest and the highest value of each bin, [M]. Of an empty bin they are Infinity and −Infinity. */
export interface Extremes {
  readonly lowest: Float64Array;
  readonly highest: Float64Array;
}

export const noExtremes = (M: number): Extremes => ({
  lowest: new Float64Array(M).fill(Number.POSITIVE_INFINITY),
  highest: new Float64Array(M).fill(Number.NEGATIVE_INFINITY),
});

/** Extremes of values that lie in the bins `place`. */
export function extremesOf(values: ArrayLike<number>, place: Uint32Array, M: number): Extremes {
  const found = noExtremes(M);
  place.forEach((b, i) => {
    found.lowest[b] = Math.min(found.lowest[b] as number, values[i] as number);
    found.highest[b] = Math.max(found.highest[b] as number, values[i] as number);
  });
  return found;
}

/** Extremes of two parts of a data set. */
export const addExtremes = (a: Extremes, b: Extremes): Extremes => ({
  lowest: a.lowest.map((v, m) => Math.min(v, b.lowest[m] as number)),
  highest: a.highest.map((v, m) => Math.max(v, b.highest[m] as number)),
});

/** How many values lie in each bin, or the sum of their `weights`, [M]. */
export function sumsIn(place: Uint32Array, M: number, weights?: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(M);
  place.forEach((b, i) => {
    sums[b] = (sums[b] as number) + (weights === undefined ? 1 : (weights[i] as number));
  });
  return sums;
}

/** Sums of two parts of a data set. */
export const addLists = (a: Float64Array, b: Float64Array): Float64Array => a.map((sum, m) => sum + (b[m] as number));

export const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
