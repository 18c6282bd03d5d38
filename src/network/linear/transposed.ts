/**
 * Transposed convolutions in two and three dimensions. tfjs's kernel is [...window, filters, channels]. W is
 * [taps · channels (+ 1), filters]: its row (tap, channel) holds the kernel's entries for that tap and channel. At every tap a
 * position sees the input that the tap carries to it. If stride − 1 zeros are put between the inputs, the positions see patches
 * of the result, with the taps in reverse order.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { backToInput, convolve, spatialOf } from './convolution.js';
import { formatOf, windowOf } from './format.js';
import type { Layer, LinearMap, ValueShape } from './map.js';
import { byPosition, plusBias, stacked, unstacked } from './matrix.js';
import { padded, patches, span, type Window, withGaps } from './patches.js';

/** The map of a Conv2DTranspose or Conv3DTranspose layer for inputs of this shape. */
export function transposedMap(layer: Layer, inputShape: ValueShape): LinearMap {
  const format = formatOf(layer);
  const { variables, kernelShape, window, bias } = parts(layer);
  const D = window.kernel.length;
  const [m, channels] = kernelShape.slice(-2) as [number, number];
  const taps = window.kernel.reduce((a, b) => a * b, 1);
  const outputSize = (size: ReadonlyArray<number>): number[] =>
    size.map((s, d) => {
      const stride = window.strides[d] as number;
      return window.padding === 'same' ? s * stride : s * stride + Math.max((window.kernel[d] as number) - stride, 0);
    });
  /** Swaps filters and channels. */
  const swapped = (kernel: tf.Tensor): tf.Tensor => tf.transpose(kernel, [...Array.from({ length: D }, (_, d) => d), D + 1, D]);
  const spatial = format.lastShape(inputShape).slice(0, -1);
  return {
    groups: 1,
    n: taps * channels + (bias ? 1 : 0),
    m,
    bias,
    inputs: 'rows',
    variables,
    positions: spatial.some((s) => s === null)
      ? undefined
      : outputSize(spatial as ReadonlyArray<number>).reduce((a, b) => a * b, 1),
    apply: (x, [a, b]) => {
      const last = format.last(x);
      return format.back(plusBias(backToInput(last, a as tf.Tensor, outputSize(spatialOf(last)), window), b));
    },
    unfold: (x) => {
      const last = format.last(x);
      const p = patches(spread(last, outputSize(spatialOf(last)), window), { ...window, strides: ones(D), padding: 'valid' });
      return tf.reshape(tf.reverse(p, 2), [1, p.shape[0], p.shape[1], taps * channels]);
    },
    atPositions: (z) => byPosition(format.last(z), m),
    pullback: (g, _, [a]) => format.back(convolve(format.last(g), a as tf.Tensor, window)),
    toMatrix: ([kernel, b]) => stacked(b === undefined ? [swapped(kernel as tf.Tensor)] : [swapped(kernel as tf.Tensor), b]),
    fromMatrix: (W) => {
      const [kernel, ...rest] = unstacked(W, [...window.kernel, channels, m], bias);
      return [swapped(kernel as tf.Tensor), ...rest];
    },
  };
}

function parts(layer: Layer) {
  const variables = layer.weights as ReadonlyArray<LayerVariable>;
  const kernelShape = (variables[0] as LayerVariable).shape as number[];
  return { variables, kernelShape, window: windowOf(layer, kernelShape.slice(0, -2), false), bias: variables.length > 1 };
}

const ones = (D: number): number[] => new Array<number>(D).fill(1);

/** Puts zeros between the inputs, and so many zeros around them that every output position sees a whole window. */
function spread(x: tf.Tensor, outputSize: ReadonlyArray<number>, window: Window): tf.Tensor {
  const [R] = x.shape as [number];
  const channels = x.shape[x.rank - 1] as number;
  const size = spatialOf(x);
  const between = withGaps(x, window.strides);
  const apart = size.map((s, d) => s * (window.strides[d] as number));
  const around = size.map((_, d): [number, number] => {
    const K = window.kernel[d] as number;
    const before = K - 1 - span(outputSize[d] as number, d, window).before;
    return [before, Math.max(0, (outputSize[d] as number) + K - 1 - before - (apart[d] as number))];
  });
  const surrounded = padded(between, around);
  const needed = size.map((_, d) => (outputSize[d] as number) + (window.kernel[d] as number) - 1);
  return tf.slice(surrounded, new Array<number>(x.rank).fill(0), [R, ...needed, channels]);
}
