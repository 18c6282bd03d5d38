/**
 * Splittable keys. A random number is a pure function of a key, and a key comes from a seed or from another key. Drawing consumes
 * nothing: for two independent things derive two keys.
 *
 *   foldIn(key, d) = threefry(key, d),   split(key, n)[i] = foldIn(key, i)
 *
 * Counters d < 2⁵³ make keys, and counters from 2⁶³ on make numbers (xoshiro.ts), so the two never meet. The keys equal the keys
 * of JAX (`jax.random.key`, `fold_in`, and `split` under `jax_threefry_partitionable`). Two distinct paths from one seed collide
 * with probability 2⁻⁶⁴. Reference: Salmon et al. 2011; Claessen & Pałka 2013 for splitting.
 */
import { laplaceError } from '../errors.js';
import { type Block, threefry } from './threefry.js';

/**
 * Names a stream of random numbers: 64 bits as two unsigned 32-bit words. It is plain frozen data, which can be cloned and
 * stored.
 */
export interface Key {
  readonly hi: number;
  readonly lo: number;
}

/**
 * The key of a seed.
 *
 * @param seed an integer from 0 to 2⁵³ − 1.
 * @throws LaplaceError `InvalidOption` for any other number.
 *
 * @example
 * ```ts
 * import { key } from './key.js';
 *
 * key(7); // => { hi: 0, lo: 7 }
 * ```
 */
export const key = (seed: number): Key => keyOf(words(seed, 'seed'));

/**
 * Derives a key from a parent key and a number: one for each batch, layer or sample, for example.
 *
 * @param data an integer from 0 to 2⁵³ − 1.
 * @throws LaplaceError `InvalidOption` for any other number.
 */
export const foldIn = (parent: Key, data: number): Key => keyOf(threefry(blockOf(parent), words(data, 'data')));

/**
 * n keys, independent of each other and of the numbers drawn from `parent`. They equal `foldIn(parent, 0 … n − 1)`, so use only
 * one of the two functions on a key. A longer split begins with the keys of a shorter one.
 *
 * @throws LaplaceError `InvalidOption` when n is not an integer >= 0.
 */
export const split = (parent: Key, n: number): ReadonlyArray<Key> => {
  words(n, 'n');
  return Object.freeze(Array.from({ length: n }, (_, i) => foldIn(parent, i)));
};

/** The words of a key, as Threefry takes them. */
export const blockOf = ({ hi, lo }: Key): Block => [hi, lo];

const keyOf = ([hi, lo]: Block): Key => Object.freeze({ hi, lo });

/** The high and low word of an integer. */
function words(value: number, field: string): Block {
  if (!Number.isSafeInteger(value) || value < 0) {
    const range = 'an integer from 0 to 2^53 - 1';
    throw laplaceError('InvalidOption', { what: `${field} is out of range`, field, found: String(value), expected: range });
  }
  return [Math.floor(value / 2 ** 32), value >>> 0];
}
