/**
 * Depthwise convolutions. Every channel has a kernel of its own, so there is one Kronecker block for each channel, all of one
 * size. tfjs's kernel is [h, w, channels, multiplier]. Output q of a channel has the number channel · multiplier + q. W is
 * [channels · n, multiplier].
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { positionsOf, spatialOf } from './convolution.js';
import { formatOf, windowOf } from './format.js';
import type { Layer, LinearMap, ValueShape } from './map.js';
import { plusBias } from './matrix.js';
import { fromPatches, patches } from './patches.js';

/** The map of a DepthwiseConv2D layer for inputs of this shape. */
export const depthwiseMap = (layer: Layer, inputShape: ValueShape): LinearMap =>
  // The layer takes a dilation rate and ignores it.
  channelMap(layer, layer.weights, inputShape, false);

/**
 * The map of a depthwise kernel and perhaps a bias. The layer may have more variables than these.
 *
 * @param dilated false for a layer that ignores its dilation rate.
 */
export function channelMap(
  layer: Layer,
  variables: ReadonlyArray<LayerVariable>,
  inputShape: ValueShape,
  dilated: boolean,
): LinearMap {
  const format = formatOf(layer);
  const [h, w, P, m] = (variables[0] as LayerVariable).shape as [number, number, number, number];
  const window = windowOf(layer, [h, w], dilated);
  const bias = variables.length > 1;
  const n = h * w + (bias ? 1 : 0);
  const { strides, dilations, padding } = window as unknown as {
    strides: [number, number];
    dilations: [number, number];
    padding: 'valid' | 'same';
  };
  const convolved = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor =>
    tf.depthwiseConv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, strides, padding, 'NHWC', dilations);
  const throughKernel = (g: tf.Tensor, size: ReadonlyArray<number>, kernel: tf.Tensor): tf.Tensor =>
    tf.grad((t) => convolved(t, kernel))(tf.zeros([g.shape[0] as number, ...size, P]), g);
  const throughPatches = (g: tf.Tensor, size: ReadonlyArray<number>, kernel: tf.Tensor): tf.Tensor => {
    const [R] = g.shape as [number];
    const at = tf.reshape(g, [R, g.size / (R * P * m), 1, P, m]);
    return fromPatches(tf.sum(tf.mul(at, tf.reshape(kernel, [h * w, P, m])), 4), size, window);
  };
  /** Whether tfjs has the gradient. It has none for dilated convolutions, and none at all on the WASM backend as it ships. */
  const hasGradient = (): boolean =>
    dilations.every((d) => d === 1) && tf.getKernel('DepthwiseConv2dNativeBackpropInput', tf.getBackend()) !== undefined;
  return {
    groups: P,
    n,
    m,
    bias,
    inputs: 'rows',
    variables,
    positions: positionsOf(format.lastShape(inputShape).slice(0, -1), window),
    apply: (x, [a, b]) => format.back(plusBias(convolved(format.last(x), a as tf.Tensor), b)),
    // [R, T, taps, P] to [P, R, T, taps].
    unfold: (x) => tf.transpose(patches(format.last(x), window), [3, 0, 1, 2]),
    atPositions: (z) => {
      const [R] = z.shape as [number];
      return tf.transpose(tf.reshape(format.last(z), [R, z.size / (R * P * m), P, m]), [2, 0, 1, 3]);
    },
    pullback: (g, x, [a]) => {
      const back = hasGradient() ? throughKernel : throughPatches;
      return format.back(back(format.last(g), spatialOf(format.last(x)), a as tf.Tensor));
    },
    toMatrix: ([a, b]) => {
      const kernels = tf.transpose(tf.reshape(a as tf.Tensor, [h * w, P, m]), [1, 0, 2]);
      const rows = b === undefined ? kernels : tf.concat([kernels, tf.reshape(b, [P, 1, m])], 1);
      return tf.reshape(rows, [P * n, m]);
    },
    fromMatrix: (W) => {
      const rows = tf.reshape(W, [P, n, m]);
      const kernels = tf.slice(rows, [0, 0, 0], [P, h * w, m]);
      const kernel = tf.reshape(tf.transpose(kernels, [1, 0, 2]), [h, w, P, m]);
      return bias ? [kernel, tf.reshape(tf.slice(rows, [0, h * w, 0], [P, 1, m]), [P * m])] : [kernel];
    },
  };
}
