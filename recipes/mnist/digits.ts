/** Digits as bytes, and as batches of tensors that are made when their turn comes. */
import * as tf from '@tensorflow/tfjs-core';

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

/** Images, one byte a pixel (255 is ink), and what they show. */
export interface Digits {
  readonly count: number;
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** Digits from `start` up to `end`. */
export const slice = ({ pixels, labels }: Digits, start: number, end: number): Digits => ({
  count: end - start,
  pixels: pixels.subarray(start * PIXELS, end * PIXELS),
  labels: labels.subarray(start, end),
});

/** Every byte's value in [0, 1]. */
const SHADES = Float32Array.from({ length: 256 }, (_, v) => v / 255);

/** One image with values in [0, 1]. */
export const image = ({ pixels }: Digits, index: number): Float32Array =>
  Float32Array.from(pixels.subarray(index * PIXELS, (index + 1) * PIXELS), (v) => SHADES[v] as number);

/** Images [B, 784] in [0, 1] and one-hot labels [B, 10] of the digits with these numbers. */
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

/** Batches in order, as functions; the last may be smaller. */
export const batchesOf = (digits: Digits, size: number): ReadonlyArray<() => { x: tf.Tensor2D; y: tf.Tensor2D }> =>
  Array.from({ length: Math.ceil(digits.count / size) }, (_, i) => () => {
    const start = i * size;
    return tensors(
      digits,
      Array.from({ length: Math.min(size, digits.count - start) }, (_, j) => start + j),
    );
  });

/** The same without labels. */
export const inputsOf = (digits: Digits, size: number): ReadonlyArray<() => tf.Tensor2D> =>
  batchesOf(digits, size).map((batch) => () => batch().x);
