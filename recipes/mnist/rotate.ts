/** Rotates digits around the middle of their images. */
import { type Digits, PIXELS, SIDE } from './digits.js';

/**
 * Rotates every image counter-clockwise and interpolates its pixels bilinearly. The result is exact for multiples of 90 degrees.
 *
 * @param degrees angle in degrees
 */
export function rotated(digits: Digits, degrees: number): Digits {
  const taps = weights(degrees);
  const pixels = new Uint8Array(digits.count * PIXELS);
  for (let d = 0; d < digits.count; d++) {
    const source = digits.pixels.subarray(d * PIXELS, (d + 1) * PIXELS);
    for (let i = 0; i < PIXELS; i++) {
      pixels[d * PIXELS + i] = Math.round((taps[i] as Taps).reduce((sum, [from, w]) => sum + w * (source[from] as number), 0));
    }
  }
  return { ...digits, pixels };
}

/**
 * Where the value of a pixel comes from: source pixels and their weights. Outside the image there is paper, which adds nothing.
 */
type Taps = ReadonlyArray<readonly [from: number, weight: number]>;

function weights(degrees: number): ReadonlyArray<Taps> {
  const angle = (degrees * Math.PI) / 180;
  // The cosine of 90 degrees is off by a rounding error. Without this rounding, such errors would mix in the next pixel.
  const [c, s] = [Math.cos(angle), Math.sin(angle)].map((v) => Math.round(v * 1e12) / 1e12) as [number, number];
  const middle = (SIDE - 1) / 2;
  return Array.from({ length: PIXELS }, (_, i) => {
    const [x, y] = [(i % SIDE) - middle, Math.floor(i / SIDE) - middle];
    return bilinear(c * x - s * y + middle, s * x + c * y + middle);
  });
}

function bilinear(x: number, y: number): Taps {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, down] = [x - left, y - top];
  const corners = [
    [left, top, (1 - right) * (1 - down)],
    [left + 1, top, right * (1 - down)],
    [left, top + 1, (1 - right) * down],
    [left + 1, top + 1, right * down],
  ] as const;
  const inside = (v: number): boolean => v >= 0 && v < SIDE;
  return corners.flatMap(([cx, cy, w]) => (w > 0 && inside(cx) && inside(cy) ? [[cy * SIDE + cx, w] as const] : []));
}
