/** Images of noise. */
import { uniform } from '../support/random.js';
import { type Digits, PIXELS } from './digits.js';

/** Images whose pixels are uniform between paper and ink. Their labels are 0, and mean nothing. */
export function noise(count: number, seed: number): Digits {
  const next = uniform(seed);
  return {
    count,
    pixels: Uint8Array.from({ length: count * PIXELS }, () => Math.floor(256 * next())),
    labels: new Uint8Array(count),
  };
}
