/**
 * Normals for draws that belong together. A design says how the draws 0, 1, 2, … of a seed are related. Each draw by itself is
 * standard normal. So a mean over draws estimates the same under every design; only its error differs:
 *
 * - `independent`: the draws are unrelated. The error falls as 1/√S with the number S of draws.
 * - `antithetic`: draw 2k + 1 is draw 2k mirrored at 0 (Hammersley & Morton 1956). The part that is odd in the noise cancels
 *   exactly; for the even part only half the draws count. The error is smaller for means that are nearly linear in the noise, and
 *   √2 times larger for means that are even in it. In whole networks under a wide posterior much is even (products of two layers'
 *   noise), so little is gained; activation sampling gains even there.
 * - `quasiRandom`: the draws spread evenly in every dimension (see quasiRandom.ts). The error is smaller where single numbers, or
 *   sums of them, move the mean, and hardly ever larger. Draw s is point ⌊s / 8⌋ of sequence s mod 8. The eight sequences are
 *   independent of each other, so they tell the error.
 *
 * Noise is plain data: a pure function of design, seed, draw, and the place where it is used.
 */
import { foldIn, type Key } from './key.js';
import { normals } from './normals.js';
import { quasiNormals } from './quasiRandom.js';

/** The designs by name. */
export const DESIGNS = ['independent', 'antithetic', 'quasiRandom'] as const;

/** How the draws of a seed are related. */
export type Design = (typeof DESIGNS)[number];

/** How many independent sequences of quasi-random draws take turns. */
export const SEQUENCES = 8;

/** The standard normals of one draw at one place. */
export type Noise =
  | { readonly _tag: 'pseudoRandom'; readonly key: Key; readonly sign: 1 | -1 }
  | { readonly _tag: 'quasiRandom'; readonly key: Key; readonly point: number };

/** The noise of draw s under a key. */
export function noiseOf(design: Design, key: Key, s: number): Noise {
  switch (design) {
    case 'independent':
      return { _tag: 'pseudoRandom', key: foldIn(key, s), sign: 1 };
    case 'antithetic':
      return { _tag: 'pseudoRandom', key: foldIn(key, Math.floor(s / 2)), sign: s % 2 === 0 ? 1 : -1 };
    case 'quasiRandom':
      return { _tag: 'quasiRandom', key: foldIn(key, s % SEQUENCES), point: Math.floor(s / SEQUENCES) };
  }
}

/**
 * The noise of the same draw at one place (a batch, a layer). Places are independent of each other and of the noise they come
 * from.
 */
export const noiseAt = (noise: Noise, place: number): Noise => ({ ...noise, key: foldIn(noise.key, place) });

/**
 * Standard normals, the same whenever they are asked for.
 *
 * @param size how many, an integer >= 0. The first ones don't depend on it.
 *
 * @example
 * ```ts
 * import { key } from './key.js';
 * import { noiseNormals, noiseOf } from './noise.js';
 *
 * const [draw, mirrored] = [0, 1].map((s) => noiseNormals(noiseOf('antithetic', key(7), s), 2));
 * draw[0] + mirrored[0]; // => 0
 * ```
 */
export function noiseNormals(noise: Noise, size: number): Float32Array {
  if (noise._tag === 'quasiRandom') return quasiNormals(noise.key, noise.point, size);
  const drawn = normals(noise.key, size);
  return noise.sign === 1 ? drawn : drawn.map((x) => -x);
}
