import { PIXELS, SIDE } from '../../../recipes/mnist/digits.js';
import { rotated } from '../../../recipes/mnist/rotate.js';

/** Noise, and a dot that is easy to follow. */
const noise = Uint8Array.from({ length: PIXELS }, (_, i) => (i * 7919) % 256);
const dot = new Uint8Array(PIXELS);
dot[2 * SIDE + 25] = 200;
const digits = { count: 2, pixels: Uint8Array.from([...noise, ...dot]), labels: Uint8Array.of(3, 4) };

it('turns by 90 degrees exactly, counter-clockwise', () => {
  const { pixels, labels } = rotated(digits, 90);
  expect(labels).toEqual(digits.labels);
  // Upper right goes to upper left: row 2, column 25 to row 27 − 25, column 2.
  expect(pixels[PIXELS + 2 * SIDE + 2]).toBe(200);
  expect(pixels.subarray(PIXELS).reduce((a, b) => a + b, 0)).toBe(200);
});

it('comes back after four quarters', () => {
  const turned = [90, 90, 90, 90].reduce(rotated, digits);
  expect(turned.pixels).toEqual(digits.pixels);
  expect(rotated(digits, 0).pixels).toEqual(digits.pixels);
});

it('keeps about all the ink when it interpolates, if none leaves the image', () => {
  const disc = Uint8Array.from({ length: PIXELS }, (_, i) =>
    Math.hypot((i % SIDE) - 16, Math.floor(i / SIDE) - 12) < 6 ? 255 : 0,
  );
  const ink = (pixels: Uint8Array) => pixels.reduce((a, b) => a + b, 0);
  const turned = rotated({ count: 1, pixels: disc, labels: Uint8Array.of(0) }, 30);
  expect(ink(turned.pixels) / ink(disc)).toBeCloseTo(1, 1);
  expect(turned.pixels).not.toEqual(disc);
});
