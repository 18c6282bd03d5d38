/**
 * The scale γ and shift β of a normalisation: z = γ ⊙ x̂ + β, with x̂ the normalised values. Every feature is a group of its own
 * with one output, a = (x̂, 1), W = (γ, β). The curvature is kept as a diagonal: it has few entries, and the coupling between
 * them is not a Kronecker product.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { timesValue } from '../stack.js';
import type { LinearMap, ValueShape } from './map.js';

/** The map of a scale, a shift or both, over the features along `axes` of values of this shape (batch first). */
export function scaleMap(
  scale: LayerVariable | undefined,
  shift: LayerVariable | undefined,
  valueShape: ReadonlyArray<number | null>,
  axes: ReadonlyArray<number>,
): LinearMap {
  const rank = valueShape.length;
  const rest = Array.from({ length: rank - 1 }, (_, d) => d + 1).filter((d) => !axes.includes(d));
  const P = axes.reduce((a, d) => a * (valueShape[d] as number), 1);
  const n = (scale ? 1 : 0) + (shift ? 1 : 0);
  const featuresShape = valueShape.map((d, i) => (axes.includes(i) ? (d as number) : 1));
  const across = (w: tf.Tensor): tf.Tensor => tf.reshape(w, featuresShape);
  const split = ([first, second]: ReadonlyArray<tf.Tensor>) => ({
    gamma: scale ? (first as tf.Tensor) : undefined,
    beta: shift ? ((scale ? second : first) as tf.Tensor) : undefined,
  });
  /** Features first, then rows, then positions: [P, R, T, 1]. */
  const atPositions = (t: tf.Tensor): tf.Tensor4D => {
    const [R] = t.shape as [number];
    return tf.reshape(tf.transpose(t, [...axes, 0, ...rest]), [P, R, t.size / (R * P), 1]);
  };
  return {
    groups: P,
    n,
    m: 1,
    bias: shift !== undefined,
    inputs: 'features',
    variables: [scale, shift].filter((v): v is LayerVariable => v !== undefined),
    positions: rest.some((d) => valueShape[d] === null) ? undefined : rest.reduce((T, d) => T * (valueShape[d] as number), 1),
    apply: (x, weights) => {
      const { gamma, beta } = split(weights);
      const scaled = gamma === undefined ? x : tf.mul(x, across(gamma));
      return beta === undefined ? scaled : tf.add(scaled, across(beta));
    },
    unfold: atPositions,
    atPositions,
    pullback: (g, _, weights) => {
      const { gamma } = split(weights);
      return gamma === undefined ? g : tf.mul(g, across(gamma));
    },
    weightGradients: (x, g, stack) => {
      const perRow = (t: tf.Tensor): tf.Tensor => tf.transpose(tf.reshape(rest.length > 0 ? tf.sum(t, rest) : t, [-1, P]));
      const parts = [...(scale ? [perRow(timesValue(stack, g, x))] : []), ...(shift ? [perRow(g)] : [])];
      return tf.expandDims(tf.stack(parts, 2), 3);
    },
    toMatrix: (weights) => {
      const columns = weights.map((w) => tf.reshape(w, [P, 1]));
      return tf.reshape(tf.concat(columns, 1), [P * n, 1]);
    },
    fromMatrix: (W) => {
      const rows = tf.reshape(W, [P, n]);
      const shape = axes.map((d) => valueShape[d] as number);
      return Array.from({ length: n }, (_, i) => tf.reshape(tf.slice(rows, [0, i], [P, 1]), shape));
    },
  };
}

/** Axes of a value (batch first) as numbers >= 0. */
export const axesOf = (axis: number | ReadonlyArray<number>, valueShape: ValueShape): number[] =>
  [axis].flat().map((a) => (a < 0 ? a + valueShape.length : (a as number)));
