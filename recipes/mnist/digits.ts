/** Digits as bytes, and as batches of tensors. A batch is made only when it is needed. */
import * as tf from '@tensorflow/tfjs-core';
import { permutation } from '../support/random.js';

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

/** Images [count, 784] with one byte a pixel (255 is ink), and the digit that each shows. */
export interface Digits {
  readonly count: number;
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** The digits from `start` up to but without `end`. */
export const slice = ({ pixels, labels }: Digits, start: number, end: number): Digits => ({
  count: end - start,
  pixels: pixels.subarray(start * PIXELS, end * PIXELS),
  labels: labels.subarray(start, end),
});

/** The digits with these numbers. */
export function pick({ pixels, labels }: Digits, indices: ArrayLike<number>): Digits {
  const count = indices.length;
  const own = { count, pixels: new Uint8Array(count * PIXELS), labels: new Uint8Array(count) };
  for (let i = 0; i < count; i++) {
    const from = indices[i] as number;
    own.pixels.set(pixels.subarray(from * PIXELS, (from + 1) * PIXELS), i * PIXELS);
    own.labels[i] = labels[from] as number;
  }
  return own;
}

/**
 * Draws parts of the digits. No digit is in two parts.
 *
 * @param sizes the number of digits in each part
 */
export function parts(digits: Digits, sizes: ReadonlyArray<number>, seed: number): ReadonlyArray<Digits> {
  const order = permutation(digits.count, seed);
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return pick(digits, order.subarray(start - size, start));
  });
}

/** The value in [0, 1] of each byte. */
const SHADES = Float32Array.from({ length: 256 }, (_, v) => v / 255);

/** One image as 784 values in [0, 1]. */
export const image = ({ pixels }: Digits, index: number): Float32Array =>
  Float32Array.from(pixels.subarray(index * PIXELS, (index + 1) * PIXELS), (v) => SHADES[v] as number);

/**
 * Makes the tensors of some digits. The caller disposes them.
 *
 * @param indices numbers of the B digits
 * @returns images x [B, 784] in [0, 1] and one-hot labels y [B, 10]
 */
export function tensors({ pixels, labels }: Digits, indices: ArrayLike<number>): { x: tf.Tensor2D; y: tf.Tensor2D } {
  const B = indices.length;
  const x = new Float32Array(B * PIXELS);
  const y = new Float32Array(B * CLASSES);
  for (let b = 0; b < B; b++) {
    const from = (indices[b] as number) * PIXELS;
    for (let i = 0; i < PIXELS; i++) x[b * PIXELS + i] = SHADES[pixels[from + i] as number] as number;
    y[b * CLASSES + (labels[indices[b] as number] as number)] = 1;
  }
  return { x: tf.tensor2d(x, [B, PIXELS]), y: tf.tensor2d(y, [B, CLASSES]) };
}

/** The digits in order, as functions that each make one batch. The last batch may be smaller. */
export const batchesOf = (digits: Digits, size: number): ReadonlyArray<() => { x: tf.Tensor2D; y: tf.Tensor2D }> =>
  Array.from({ length: Math.ceil(digits.count / size) }, (_, i) => () => {
    const start = i * size;
    return tensors(
      digits,
      Array.from({ length: Math.min(size, digits.count - start) }, (_, j) => start + j),
    );
  });

/** Like `batchesOf`, but without the labels. */
export const inputsOf = (digits: Digits, size: number): ReadonlyArray<() => tf.Tensor2D> =>
  batchesOf(digits, size).map((batch) => () => batch().x);
