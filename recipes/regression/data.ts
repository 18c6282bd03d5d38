/** Data of the recipe: a noisy wave, observed on both sides of a gap. */
import { normal, uniform } from '../support/random.js';

/** Standard deviation σ of the noise in the data. */
export const NOISE = 0.1;
/** Interval without training points. */
export const GAP = [-0.4, 0.5] as const;
export const RANGE = [-1.6, 1.6] as const;

export interface Points {
  readonly x: ReadonlyArray<number>;
  readonly y: ReadonlyArray<number>;
}

export const wave = (x: number): number => Math.sin(3 * x) + 0.3 * x;

/**
 * Draws noisy points of the wave, with x uniform over the part of RANGE where `keep` is true.
 *
 * @param count number of points
 * @param seed seed of x; the noise has `seed + 1`
 */
export function points(count: number, seed: number, keep: (x: number) => boolean): Points {
  const [next, noise] = [uniform(seed), normal(seed + 1)];
  const x: number[] = [];
  while (x.length < count) {
    const candidate = RANGE[0] + (RANGE[1] - RANGE[0]) * next();
    if (keep(candidate)) x.push(candidate);
  }
  return { x, y: x.map((v) => wave(v) + NOISE * noise()) };
}

export const inGap = (x: number): boolean => x > GAP[0] && x < GAP[1];
/** Whether training points are drawn at x: inside |x| < 1.2, but not in the gap. */
export const seen = (x: number): boolean => Math.abs(x) < 1.2 && !inGap(x);
