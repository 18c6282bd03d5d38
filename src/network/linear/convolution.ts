/**
 * Convolutions in one to three dimensions: W is the kernel [taps · channels, filters], the positions are the output pixels, and a
 * is the patch of the input that a pixel sees (Grosse & Martens 2016).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { timesTransposed } from '../matmul.js';
import { CHANNELS_LAST, formatOf, windowOf } from './format.js';
import type { Layer, LinearMap, ValueShape } from './map.js';
import { byPosition, plusBias, stacked, unstacked } from './matrix.js';
import { fromPatches, padded, patches, span, type Window } from './patches.js';

/** The map of a Conv1D, Conv2D or Conv3D layer for inputs of this shape. */
export function convolutionMap(layer: Layer, inputShape: ValueShape): LinearMap {
  const [kernel] = layer.weights as [LayerVariable];
  const shape = kernel.shape as number[];
  return windowMap(layer, layer.weights, inputShape, windowOf(layer, shape.slice(0, -2)));
}

/** The map of a kernel [...window, channels, filters] and perhaps a bias. The layer may have more variables than these. */
export function windowMap(
  layer: Layer,
  variables: ReadonlyArray<LayerVariable>,
  inputShape: ValueShape,
  window: Window,
): LinearMap {
  const format = formatOf(layer);
  // With channels first, tfjs's Conv1D takes channels first but gives channels last.
  const output = layer.getClassName() === 'Conv1D' ? CHANNELS_LAST : format;
  const kernelShape = (variables[0] as LayerVariable).shape as number[];
  const [channels, m] = kernelShape.slice(-2) as [number, number];
  const bias = variables.length > 1;
  const taps = window.kernel.reduce((a, b) => a * b, 1);
  const spatial = format.lastShape(inputShape).slice(0, -1);
  return {
    groups: 1,
    n: taps * channels + (bias ? 1 : 0),
    m,
    bias,
    inputs: 'rows',
    variables,
    positions: positionsOf(spatial, window),
    apply: (x, [a, b]) => output.back(plusBias(convolve(format.last(x), a as tf.Tensor, window), b)),
    unfold: (x) => {
      const p = patches(format.last(x), window);
      return tf.reshape(p, [1, p.shape[0], p.shape[1], taps * channels]);
    },
    atPositions: (z) => byPosition(output.last(z), m),
    pullback: (g, x, [a]) => {
      const size = spatialOf(format.last(x));
      return format.back(backToInput(output.last(g), a as tf.Tensor, size, window));
    },
    toMatrix: stacked,
    fromMatrix: (W) => unstacked(W, kernelShape, bias),
  };
}

/** T, the number of positions of a window over spatial dimensions of these sizes. Undefined if a size is not known. */
export const positionsOf = (spatial: ValueShape, window: Window): number | undefined =>
  spatial.some((size) => size === null)
    ? undefined
    : spatial.reduce<number>((T, size, d) => T * span(size as number, d, window).positions, 1);

/** Sizes of the spatial dimensions of [R, …, channels]. */
export const spatialOf = (t: tf.Tensor): number[] => t.shape.slice(1, -1);

type Pair = [number, number];
type Triple = [number, number, number];

/** A convolution without bias, channels last. */
export function convolve(x: tf.Tensor, kernel: tf.Tensor, window: Window): tf.Tensor {
  const { strides, dilations, padding } = window;
  // With 'same' padding, strides beyond the kernel give wrong numbers on tfjs's WASM backend. With input padded beforehand they
  // don't.
  if (padding === 'same' && strides.some((s, d) => s > (window.kernel[d] as number))) {
    const spans = spatialOf(x).map((size, d) => span(size, d, window));
    const around = padded(
      x,
      spans.map((s): [number, number] => [s.before, s.after]),
    );
    return convolve(around, kernel, { ...window, padding: 'valid' });
  }
  switch (strides.length) {
    case 1:
      return tf.conv1d(x as tf.Tensor3D, kernel as tf.Tensor3D, strides[0] as number, padding, 'NWC', dilations[0] as number);
    case 2:
      return tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, strides as Pair, padding, 'NHWC', dilations as Pair);
    default:
      return tf.conv3d(x as tf.Tensor5D, kernel as tf.Tensor5D, strides as Triple, padding, 'NDHWC', dilations as Triple);
  }
}

/** The transpose of `convolve` as a map of its input: g [R, …, filters] to [R, …size, channels]. */
export function backToInput(g: tf.Tensor, kernel: tf.Tensor, size: ReadonlyArray<number>, window: Window): tf.Tensor {
  const [R] = g.shape as [number];
  const [channels, filters] = kernel.shape.slice(-2) as [number, number];
  const { strides, padding, dilations } = window;
  const shape = [R, ...size, channels];
  if (strides.length === 3 || dilations.some((d) => d > 1)) {
    // tfjs has no transpose of dilated convolutions. In three dimensions its WASM backend has a wrong one.
    const taps = window.kernel.reduce((a, b) => a * b, 1);
    const rows = tf.reshape(g, [-1, filters]) as tf.Tensor2D;
    const seen = timesTransposed(rows, tf.reshape(kernel, [taps * channels, filters]) as tf.Tensor2D);
    return fromPatches(tf.reshape(seen, [R, rows.shape[0] / R, taps, channels]), size, window);
  }
  // A sequence is an image of one row.
  const [image, filter] = strides.length === 1 ? [tf.expandDims(g, 1), tf.expandDims(kernel, 0)] : [g, kernel];
  const both = strides.length === 1 ? [1, strides[0] as number] : strides;
  const flat = [R, ...(strides.length === 1 ? [1] : []), ...size, channels] as [number, number, number, number];
  return tf.reshape(tf.conv2dTranspose(image as tf.Tensor4D, filter as tf.Tensor4D, flat, both as Pair, padding), shape);
}
