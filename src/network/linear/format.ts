/** Data formats. Maps compute with channels last, as TensorFlow's kernels do, and transpose other data on the way in and out. */
import * as tf from '@tensorflow/tfjs-core';
import type { Layer, ValueShape } from './map.js';
import type { Window } from './patches.js';

/** The options of a convolution that are used here. They are its members, as `getConfig` leaves out some (Conv1D's format). */
interface Convolution {
  readonly dataFormat?: 'channelsFirst' | 'channelsLast';
  readonly padding?: 'valid' | 'same';
  readonly strides?: number | ReadonlyArray<number>;
  readonly dilationRate?: number | ReadonlyArray<number>;
}

/** A data format: `last` takes tensors to channels last, `back` takes them from there. Both are identities for channels last. */
export interface Format {
  readonly last: (t: tf.Tensor) => tf.Tensor;
  readonly back: (t: tf.Tensor) => tf.Tensor;
  readonly lastShape: (shape: ValueShape) => ValueShape;
}

export const CHANNELS_LAST: Format = { last: (t) => t, back: (t) => t, lastShape: (shape) => shape };

const CHANNELS_FIRST: Format = {
  last: (t) => tf.transpose(t, [0, ...Array.from({ length: t.rank - 2 }, (_, d) => d + 2), 1]),
  back: (t) => tf.transpose(t, [0, t.rank - 1, ...Array.from({ length: t.rank - 2 }, (_, d) => d + 1)]),
  lastShape: ([channels, ...spatial]) => [...spatial, channels as number | null],
};

/** The format of a layer's data. */
export const formatOf = (layer: Layer): Format =>
  (layer as Layer & Convolution).dataFormat === 'channelsFirst' ? CHANNELS_FIRST : CHANNELS_LAST;

/** The window of a convolution with this kernel size. `dilated` is false for layers that take a dilation rate and ignore it. */
export function windowOf(layer: Layer, kernel: ReadonlyArray<number>, dilated = true): Window {
  const { padding = 'valid', strides = 1, dilationRate = 1 } = layer as Layer & Convolution;
  const each = (value: number | ReadonlyArray<number>): ReadonlyArray<number> =>
    kernel.map((_, d) => (typeof value === 'number' ? value : (value[d] as number)));
  return { kernel, padding, strides: each(strides), dilations: dilated ? each(dilationRate) : each(1) };
}
