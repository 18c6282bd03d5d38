/**
 * Convolutions in one to three dimensions: W is the kernel [taps · channels, filters], the positions are the output pixels, and a
 * is the patch that each of them sees (Grosse & Martens 2016).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { timesTransposed } from '../matmul.js';
import { formatOf, windowOf } from './format.js';
import type { Layer, LinearMap, ValueShape } from './map.js';
import { plusBias, stacked, unstacked } from './matrix.js';
import { patches, span, type Window } from './patches.js';

/** The map of a Conv1D, Conv2D or Conv3D layer for inputs of this shape. */
export function convolutionMap(layer: Layer, inputShape: ValueShape): LinearMap {
  const [kernel] = layer.weights as [LayerVariable];
  const shape = kernel.shape as number[];
  return windowMap(layer, layer.weights, inputShape, windowOf(layer, shape.slice(0, -2)));
}

/** The map of a kernel [...window, channels, filters] and maybe a bias, in a layer that may have more. */
export function windowMap(
  layer: Layer,
  variables: ReadonlyArray<LayerVariable>,
  inputShape: ValueShape,
  window: Window,
): LinearMap {
  const format = formatOf(layer);
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
    structure: 'kronecker',
    variables,
    positions: positionsOf(spatial, window),
    apply: (x, [a, b]) => format.back(plusBias(convolve(format.last(x), a as tf.Tensor, window), b)),
    unfold: (x) => {
      const p = patches(format.last(x), window);
      return tf.reshape(p, [1, p.shape[0], p.shape[1], taps * channels]);
    },
    atPositions: (z) => {
      const last = format.last(z);
      return tf.reshape(last, [1, z.shape[0] as number, last.size / ((z.shape[0] as number) * m), m]);
    },
    pullback: (g, x, [a]) => {
      const size = spatialOf(format.last(x));
      return format.back(backToInput(format.last(g), a as tf.Tensor, size, window));
    },
    toMatrix: stacked,
    fromMatrix: (W) => unstacked(W, kernelShape, bias),
  };
}

/** T of a window over these sizes. */
export const positionsOf = (spatial: ValueShape, window: Window): number | undefined =>
  spatial.some((size) => size === null)
    ? undefined
    : spatial.reduce<number>((T, size, d) => T * span(size as number, d, window).positions, 1);

/** Sizes of the spatial dimensions of [R, …, channels]. */
export const spatialOf = (t: tf.Tensor): number[] => t.shape.slice(1, -1);

type Pair = [number, number];
type Triple = [number, number, number];

/** A convolution without bias, channels last. */
export function convolve(x: tf.Tensor, kernel: tf.Tensor, { strides, dilations, padding }: Window): tf.Tensor {
  switch (strides.length) {
    case 1:
      return tf.conv1d(x as tf.Tensor3D, kernel as tf.Tensor3D, strides[0] as number, padding, 'NWC', dilations[0] as number);
    case 2:
      return tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, strides as Pair, padding, 'NHWC', dilations as Pair);
    default:
      return tf.conv3d(x as tf.Tensor5D, kernel as tf.Tensor5D, strides as Triple, padding, 'NDHWC', dilations as Triple);
  }
}

/** The transpose of `convolve` in its input: [R, …, filters] to [R, …size, channels]. */
export function backToInput(g: tf.Tensor, kernel: tf.Tensor, size: ReadonlyArray<number>, window: Window): tf.Tensor {
  const [R] = g.shape as [number];
  const channels = kernel.shape[kernel.rank - 2] as number;
  const shape = [R, ...size, channels];
  if (window.dilations.some((d) => d > 1)) {
    // TensorFlow.js has no gradient of dilated convolutions. That of the patches, which are linear in x, does it.
    const filters = kernel.shape[kernel.rank - 1] as number;
    const rows = tf.reshape(g, [-1, filters]) as tf.Tensor2D;
    const seen = timesTransposed(rows, tf.reshape(kernel, [-1, filters]) as tf.Tensor2D);
    return tf.grad((x) => patches(x, window))(
      tf.zeros(shape),
      tf.reshape(seen, [R, -1, window.kernel.reduce((a, b) => a * b, 1), channels]),
    );
  }
  const { strides, padding } = window;
  switch (strides.length) {
    case 1: {
      // One row of an image.
      const [image, filter] = [tf.expandDims(g, 1) as tf.Tensor4D, tf.expandDims(kernel, 0) as tf.Tensor4D];
      const flat: [number, number, number, number] = [R, 1, size[0] as number, channels];
      return tf.reshape(tf.conv2dTranspose(image, filter, flat, [1, strides[0] as number], padding), shape);
    }
    case 2:
      return tf.conv2dTranspose(
        g as tf.Tensor4D,
        kernel as tf.Tensor4D,
        shape as [number, number, number, number],
        strides as Pair,
        padding,
      );
    default:
      return tf.conv3dTranspose(
        g as tf.Tensor5D,
        kernel as tf.Tensor5D,
        shape as [number, number, number, number, number],
        strides as Triple,
        padding,
      );
  }
}
