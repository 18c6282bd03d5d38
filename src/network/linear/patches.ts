/**
 * Patches: the part of the input that each output position of a convolution sees (im2col), in TensorFlow's order, for one to
 * three spatial dimensions. Each tap of the kernel takes one strided slice. So the cost is the cost of moving the patches,
 * whatever the number of channels. Reference: Grosse & Martens 2016, section 2.2 (the expansion operator).
 */
import * as tf from '@tensorflow/tfjs-core';
import { concat } from '../concat.js';

/** A convolution's window. Spatial dimensions only, channels last. */
export interface Window {
  readonly kernel: ReadonlyArray<number>;
  readonly strides: ReadonlyArray<number>;
  readonly dilations: ReadonlyArray<number>;
  readonly padding: 'valid' | 'same';
}

/** One dimension of a window over an input. */
export interface Span {
  readonly positions: number;
  /** Padding on both sides. */
  readonly before: number;
  readonly after: number;
}

/** Output positions along one dimension of this size, and the padding before and after it. */
export function span(size: number, d: number, { kernel, strides, dilations, padding }: Window): Span {
  const reach = ((kernel[d] as number) - 1) * (dilations[d] as number) + 1;
  const stride = strides[d] as number;
  if (padding === 'valid') return { positions: Math.max(0, Math.floor((size - reach) / stride) + 1), before: 0, after: 0 };
  const positions = Math.ceil(size / stride);
  const total = Math.max((positions - 1) * stride + reach - size, 0);
  return { positions, before: Math.floor(total / 2), after: total - Math.floor(total / 2) };
}

/** Patches [R, T, taps, channels] of x [R, …spatial, channels]; taps and positions in row-major order. */
export function patches(x: tf.Tensor, window: Window): tf.Tensor4D {
  const [R, ...rest] = x.shape as [number, ...number[]];
  const channels = rest[rest.length - 1] as number;
  const spans = rest.slice(0, -1).map((size, d) => span(size, d, window));
  const around = padded(
    x,
    spans.map((s): [number, number] => [s.before, s.after]),
  );
  const T = spans.reduce((a, s) => a * s.positions, 1);
  const taps = tapsOf(window.kernel).map((tap) => {
    const begin = [0, ...tap.map((k, d) => k * (window.dilations[d] as number)), 0];
    const end = spans.map((s, d) => (begin[d + 1] as number) + (s.positions - 1) * (window.strides[d] as number) + 1);
    const seen = tf.stridedSlice(around, begin, [R, ...end, channels], [1, ...window.strides, 1]);
    return tf.reshape(seen, [R, T, 1, channels]) as tf.Tensor4D;
  });
  return concat(taps, 2);
}

/**
 * The transpose of `patches`: adds up what patches [R, T, taps, channels] hold, at the inputs [R, …size, channels] they came
 * from.
 */
export function fromPatches(seen: tf.Tensor4D, size: ReadonlyArray<number>, window: Window): tf.Tensor {
  const [R, , , channels] = seen.shape;
  const spans = size.map((s, d) => span(s, d, window));
  const extent = spans.map((s, d) => (s.positions - 1) * (window.strides[d] as number) + 1);
  const whole = size.map((s, d) => (spans[d] as Span).before + s + (spans[d] as Span).after);
  const parts = tapsOf(window.kernel).map((tap, i) => {
    const own = tf.slice(seen, [0, 0, i, 0], [R, -1, 1, channels]);
    const apart = withGaps(tf.reshape(own, [R, ...spans.map((s) => s.positions), channels]), window.strides);
    const before = tap.map((k, d) => k * (window.dilations[d] as number));
    // The last gap of each dimension is left out: nothing comes after it.
    const placed = tf.slice(apart, new Array<number>(size.length + 2).fill(0), [R, ...extent, channels]);
    return padded(
      placed,
      before.map((b, d): [number, number] => [b, Math.max(0, (whole[d] as number) - b - (extent[d] as number))]),
    );
  });
  const sum = parts.length === 1 ? (parts[0] as tf.Tensor) : tf.addN(parts);
  const begin = [0, ...spans.map((s) => s.before), 0];
  return tf.slice(sum, begin, [R, ...size, channels]);
}

/** Puts stride − 1 zeros after every entry of each spatial dimension. */
export const withGaps = (x: tf.Tensor, strides: ReadonlyArray<number>): tf.Tensor =>
  // One dimension at a time, as tfjs limits ranks: [outer, size, 1, inner] becomes [outer, size, stride, inner].
  strides.reduce((values, stride, d) => {
    if (stride === 1) return values;
    const { shape } = values;
    const size = shape[d + 1] as number;
    const outer = shape.slice(0, d + 1).reduce((p, q) => p * q, 1);
    const gaps = tf.pad(tf.reshape(values, [outer, size, 1, values.size / (outer * size)]), [
      [0, 0],
      [0, 0],
      [0, stride - 1],
      [0, 0],
    ]);
    return tf.reshape(gaps, [...shape.slice(0, d + 1), size * stride, ...shape.slice(d + 2)]);
  }, x);

/** Puts zeros around the spatial dimensions. */
export const padded = (x: tf.Tensor, pads: ReadonlyArray<[number, number]>): tf.Tensor =>
  pads.some(([before, after]) => before + after > 0) ? tf.pad(x, [[0, 0], ...pads, [0, 0]]) : x;

/** Every position within a kernel, row-major. */
function tapsOf(kernel: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> {
  return kernel.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (taps, size) => taps.flatMap((tap) => Array.from({ length: size }, (_, k) => [...tap, k])),
    [[]],
  );
}
