/**
 * Quasi-random normals for any number of dimensions. Every dimension is a sequence u₀, u₁, … in (0, 1) whose first 2^k points
 * fall one into each interval of length 2^−k, and x = Φ⁻¹(u). Each point by itself is exactly standard normal. The dimensions are
 * independent of each other: only the points within a dimension are related.
 *
 *   u_t = scramble(φ₂(order(t))),   φ₂ the radical inverse in base 2 (van der Corput's sequence).
 *
 * `scramble` is Owen's nested scrambling (1995), as a hash of the digits (Laine & Karras 2011). `order` shuffles the points 2^k …
 * 2^(k+1) − 1 among themselves, anew in every dimension and for every k (a nested Latin hypercube, Qian 2009; Owen 1998 pads
 * dimensions in the same way). Without it all dimensions would go through their intervals in step, and the mean of a product of
 * two dimensions would be far worse than with independent draws.
 *
 * A Latin hypercube integrates the part of a function that is additive in its dimensions with an error of about n^−3/2 instead of
 * n^−1/2. It integrates the rest as well as independent draws do. Its variance is at most n / (n − 1) times the variance of
 * independent draws (Stein 1987; Owen 1997 for scrambled points). Tables (Sobol', lattices) do better in few dimensions, but
 * weights have millions. A shifted lattice with random odd generators (Hickernell & Hong 1997) was tried. Its digits are not
 * scrambled one by one, so its error in additive functions falls only like 1/n. The parity of its generators makes it twice as
 * bad as independent draws for some products.
 */
import type { Key } from './key.js';
import { normalQuantile } from './quantile.js';
import { next, seededState } from './xoshiro.js';

/**
 * Purposes of streams of words, after poisson.ts's: the scramblings, and (ORDERS + k) the order of the points 2^k … 2^(k+1) − 1.
 */
const SCRAMBLES = 3;
const ORDERS = 4;

/**
 * Coordinates of one point of the key's sequence: standard normals, the same on every platform except where the last bit of
 * Math.log decides a float32 rounding. A number takes about 100 ns, ten times as long as one of `normals`.
 *
 * @param point t, an integer from 0 to 2³¹ − 1.
 * @param size the number of dimensions. The first ones don't depend on it.
 */
export function quasiNormals(key: Key, point: number, size: number): Float32Array {
  const scrambles = seededState(key, SCRAMBLES);
  // Points 0 and 1 are not shuffled.
  const level = Math.max(0, 31 - Math.clz32(point));
  const orders = seededState(key, ORDERS + level);
  const out = new Float32Array(size);
  const first = 2 ** level;
  for (let j = 0; j < size; j++) {
    const t = point < 2 ? point : first + shuffled(point - first, level, next(orders), next(orders));
    const digits = scrambled(t, next(scrambles), next(scrambles));
    out[j] = normalQuantile((reversed(digits) + 0.5) * 2 ** -32);
  }
  return out;
}

/**
 * A permutation of the integers below 2^bits, chosen by two words. Its rounds take sums, products with odd numbers, and xors of
 * low bits with high ones. The lowest bits of two values differ with a probability within 0.015 of 2^(bits − 1) / (2^bits − 1),
 * which a random order has.
 */
function shuffled(value: number, bits: number, a: number, b: number): number {
  let x = shuffledOnce(value, bits, a);
  x = shuffledOnce(x, bits, b);
  x = shuffledOnce(x, bits, (a >>> 11) ^ (b << 7));
  return shuffledOnce(x, bits, (b >>> 13) ^ (a << 5));
}

function shuffledOnce(value: number, bits: number, word: number): number {
  const mask = (1 << bits) - 1;
  const sum = (value + (word >>> 16)) & mask;
  const product = Math.imul(sum ^ (sum >>> ((bits + 1) >>> 1)), word | 1) & mask;
  return word < 0 ? product ^ (product >>> 1) : product;
}

/**
 * Owen's scrambling of binary digits; the first digit is the lowest bit. The digits before it decide whether a digit is flipped,
 * as sums and products carry upwards only. A uniform `shift` makes every value exactly uniform, as all the other steps are
 * bijections.
 */
function scrambled(digits: number, shift: number, factor: number): number {
  let x = digits ^ Math.imul(digits, 0x3d20adea);
  x = (x + shift) | 0;
  x = Math.imul(x, factor | 1);
  x ^= Math.imul(x, 0x05526c56);
  return x ^ Math.imul(x, 0x53a22864);
}

/** The bits of a word in reverse order, as an unsigned integer. */
function reversed(word: number): number {
  let x = ((word >>> 1) & 0x55555555) | ((word & 0x55555555) << 1);
  x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2);
  x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4);
  x = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
  return ((x >>> 16) | (x << 16)) >>> 0;
}
