/**
 * Patches: what each output position of a convolution sees of its input (im2col), in TensorFlow's order, for one to three spatial
 * dimensions. One strided slice for each tap of the kernel, so the cost is that of moving the patches, whatever the channels.
 * Reference: Grosse & Martens 2016, section 2.2 (the expansion operator).
 */
import * as tf from '@tensorflow/tfjs-core';

/** A convolution's window. Spatial dimensions only, channels last. */
export interface Window {
  readonly kernel: ReadonlyArray<number>;
  readonly strides: ReadonlyArray<number>;
  readonly dilations: ReadonlyArray<number>;
  /***/
  readonly padding: 'valid' | 'same';
}

/** Output positions along one dimension of this size, and the padding before and after it. */
export function span(size: number, d: number, { kernel, strides, dilations, padding }: Window) {
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
  const pads: Array<[number, number]> = [[0, 0], ...spans.map((s): [number, number] => [s.before, s.after]), [0, 0]];
  const padded = spans.some((s) => s.before + s.after > 0) ? tf.pad(x, pads) : x;
  const T = spans.reduce((a, s) => a * s.positions, 1);
  const dense = window.strides.every((s) => s === 1);
  const taps = tapsOf(window.kernel).map((tap) => {
    const begin = [0, ...tap.map((k, d) => k * (window.dilations[d] as number)), 0];
    const extent = spans.map((s, d) => (s.positions - 1) * (window.strides[d] as number) + 1);
    // A plain slice where it serves: unlike the strided one it has a gradient.
    const seen = dense
      ? tf.slice(padded, begin, [R, ...extent, channels])
      : tf.stridedSlice(
          padded,
          begin,
          [R, ...extent.map((e, d) => (begin[d + 1] as number) + e), channels],
          [1, ...window.strides, 1],
        );
    return tf.reshape(seen, [R, T, 1, channels]) as tf.Tensor4D;
  });
  return taps.length === 1 ? (taps[0] as tf.Tensor4D) : tf.concat(taps, 2);
}

/** Every position within a kernel, row-major. */
export function tapsOf(kernel: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> {
  return kernel.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (taps, size) => taps.flatMap((tap) => Array.from({ length: size }, (_, k) => [...tap, k])),
    [[]],
  );
}
