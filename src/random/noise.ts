/**
 * Normals for draws that belong together. A design says how the draws 0, 1, 2, … of a seed are related; each by itself is standard
 * normal, so that every mean over draws estimates the same, with another error:
 *
 * - `independent`: unrelated draws; the error falls as 1/√S.
 * - `antithetic`: draw 2k + 1 is draw 2k mirrored at 0 (Hammersley & Morton 1956). What is odd in the noise cancels at once, what is
 *   even counts half the draws: better for means that are nearly linear in the noise, worse by √2 for those that are even in it. Of whole
 *   networks under a wide posterior much is even (products of two layers' noise) and little gained; activation sampling gains there too.
 * - `quasiRandom`: draws spread evenly in every dimension (see quasiRandom.ts): better where single numbers move the mean, and for
 *   their sums; hardly ever worse. Draw s is point ⌊s / 8⌋ of sequence s mod 8: eight sequences that are independent of each other
 *   tell the error.
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

/** Independent sequences of quasi-random draws, which take turns. */
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

/** The same draw's noise at a place of its own: a batch, a layer. Places are independent of each other and of the noise they are part of. */
export const noiseAt = (noise: Noise, place: number): Noise => ({ ...noise, key: foldIn(noise.key, place) });

/**
 * Standard normals, the same whenever they are asked for.
 *
 * @param size how many, an integer >= 0; the first ones don't depend on it.
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
