/** Dense layers on vectors (one position) and on sequences or grids (a position for each entry of the leading dimensions). */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { affine, timesTransposed } from '../matmul.js';
import type { Layer, LinearMap, ValueShape } from './map.js';
import { byPosition, stacked, unstacked } from './matrix.js';

/** The map of a dense layer for inputs of this shape. */
export function denseMap(layer: Layer, inputShape: ValueShape): LinearMap {
  return kernelMap(layer.weights, inputShape);
}

/** The map z = x K + b over the last axis, for a kernel K [in, m] and perhaps a bias b [m]. */
export function kernelMap(variables: ReadonlyArray<LayerVariable>, inputShape: ValueShape): LinearMap {
  const [kernel, biasVariable] = variables as [LayerVariable, LayerVariable | undefined];
  const [inputs, m] = kernel.shape as [number, number];
  const bias = biasVariable !== undefined;
  const leading = inputShape.slice(0, -1);
  const rowsOf = (t: tf.Tensor): tf.Tensor2D =>
    (t.rank === 2 ? t : tf.reshape(t, [-1, t.shape[t.rank - 1] as number])) as tf.Tensor2D;
  return {
    groups: 1,
    n: inputs + (bias ? 1 : 0),
    m,
    bias,
    inputs: 'rows',
    variables,
    positions: leading.some((d) => d === null) ? undefined : leading.reduce<number>((a, b) => a * (b as number), 1),
    apply: (x, [a, b]) => {
      const rows = affine(rowsOf(x), a as tf.Tensor2D, b as tf.Tensor1D | undefined);
      return x.rank === 2 ? rows : tf.reshape(rows, [...x.shape.slice(0, -1), m]);
    },
    unfold: (x) => byPosition(x, inputs),
    atPositions: (z) => byPosition(z, m),
    pullback: (g, _, [a]) => {
      const rows = timesTransposed(rowsOf(g), a as tf.Tensor2D);
      return g.rank === 2 ? rows : tf.reshape(rows, [...g.shape.slice(0, -1), inputs]);
    },
    toMatrix: stacked,
    fromMatrix: (W) => unstacked(W, [inputs, m], bias),
  };
}
