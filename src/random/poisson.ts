/**
 * Poisson counts of many rates, on the host.
 *
 * Rates below 10 use inversion by sequential search, with one uniform number a count. Rates from 10 on use transformed rejection
 * with squeeze (PTRS; Hörmann 1993, "The transformed rejection method for generating Poisson random variables"), about 1.2 tries
 * a count for every rate. Both are exact up to the 2⁻³² steps of the uniform numbers. The same rates give the same counts, except
 * where platforms differ in the last bit of Math.log or Math.exp and a draw depends on that bit.
 */
import type { Key } from './key.js';
import { nextUnit, type State, seededState } from './xoshiro.js';

/** The purpose of this stream of words, after the two of normals.ts. */
const COUNTS = 2;

/** The rate from which rejection takes over. PTRS is valid from here on. */
const LARGE = 10;

/** log k! for k = 0 … 15. */
export const LOG_FACTORIALS: ReadonlyArray<number> = Array.from({ length: 16 }, (_, k) => {
  let sum = 0;
  for (let i = 2; i <= k; i++) sum += Math.log(i);
  return sum;
});

/** log k!. Beyond the table it is Stirling's series, which is off by less than 1/(1260 k⁵) < 1e-9. */
export function logFactorial(k: number): number {
  const small = LOG_FACTORIALS[k];
  if (small !== undefined) return small;
  return (k + 0.5) * Math.log(k) - k + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * k) - 1 / (360 * k ** 3);
}

/**
 * A count for each rate, in order.
 *
 * @param rates finite numbers >= 0.
 * @returns counts, as many as there are rates.
 *
 * @example
 * ```ts
 * import { key } from './key.js';
 * import { poissons } from './poisson.js';
 *
 * poissons(key(7), [0, 2, 500]); // => Float32Array.of(0, 0, 517)
 * ```
 */
export function poissons(key: Key, rates: ArrayLike<number>): Float32Array {
  const state = seededState(key, COUNTS);
  return Float32Array.from(rates, (rate) => (rate < LARGE ? small(state, rate) : large(state, rate)));
}

/** The count at which the cumulative probability passes a uniform number. */
function small(state: State, rate: number): number {
  let left = nextUnit(state);
  let p = Math.exp(-rate);
  let k = 0;
  // p reaches 0 only where the sum of all other terms is 1 in float64. No uniform number is 1.
  while (left > p && p > 0) {
    left -= p;
    k += 1;
    p *= rate / k;
  }
  return k;
}

/** PTRS, with the names of Hörmann's listing. */
function large(state: State, rate: number): number {
  const logRate = Math.log(rate);
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = nextUnit(state) - 0.5;
    const v = nextUnit(state);
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const accepted = Math.log((v * inverseAlpha) / (a / (us * us) + b));
    if (accepted <= k * logRate - rate - logFactorial(k)) return k;
  }
}
