/** Random numbers and Monte Carlo checks that share nothing with the library's own. */

import { inverse, outer, product, type Rows, transposed } from './dense64.js';

/**
 * Standard errors by which a sample mean may miss what it estimates. One mean in 1.7 million misses by more than 5; a file compares
 * some hundred, and with fixed seeds a test that passes once always passes.
 */
export const STANDARD_ERRORS = 5;

/** Uniform numbers in [0, 1): mulberry32. */
export function uniformSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers: Box & Muller. */
export function normalSource(seed: number): () => number {
  const uniform = uniformSource(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Some numbers of a source. */
export const take = (size: number, source: () => number): number[] => Array.from({ length: size }, source);

export interface Estimate {
  readonly mean: number;
  readonly standardError: number;
}

/** Mean of a sample and its standard error. */
export function estimate(sample: ArrayLike<number>): Estimate {
  const values = Array.from(sample);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
  return { mean, standardError: Math.sqrt(variance / values.length) };
}

/**
 * Expects that draws [S][Q] have mean 0 and this covariance [Q, Q], within standard errors. dᵀ C⁻¹ d has the mean Q, whatever C is:
 * one number in which all entries count, so that a small error of the scale shows.
 */
export function expectCentred(draws: ReadonlyArray<ReadonlyArray<number>>, covariance: Rows): void {
  const Q = covariance.length;
  expect(missedBy(draws, new Array<number>(Q).fill(0))).toBeLessThan(STANDARD_ERRORS);
  const products = draws.map((d) => outer(d, d).flat());
  expect(missedBy(products, covariance.flat())).toBeLessThan(STANDARD_ERRORS);
  const precision = inverse(covariance);
  const lengths = draws.map((d) => [product([d], precision, transposed([d]))[0]?.[0] as number]);
  expect(missedBy(lengths, [Q])).toBeLessThan(STANDARD_ERRORS);
}

/** By how many standard errors the mean of each column of `draws` [S][Q] misses `expected` [Q]: the largest. */
export function missedBy(draws: ReadonlyArray<ArrayLike<number>>, expected: ArrayLike<number>): number {
  const columns = Array.from(expected, (value, q) => {
    const { mean, standardError } = estimate(draws.map((draw) => draw[q] as number));
    const missed = Math.abs(mean - value);
    // A quantity that does not vary is one number, not a mean: it may be off by float32 rounding.
    return missed <= 1e-6 * Math.max(1, Math.abs(value)) ? 0 : missed / standardError;
  });
  return columns.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...columns);
}
