/** Parts that maps of one group share: W is the kernel itself, flattened, with the bias as its last row. */
import * as tf from '@tensorflow/tfjs-core';
import type { MapWeights } from './map.js';

/** W [n, m] of a kernel [..., m] and a bias [m]. */
export function stacked([kernel, bias]: MapWeights): tf.Tensor2D {
  const m = (kernel as tf.Tensor).shape[(kernel as tf.Tensor).rank - 1] as number;
  const rows = tf.reshape(kernel as tf.Tensor, [-1, m]) as tf.Tensor2D;
  return bias === undefined ? rows : tf.concat([rows, tf.reshape(bias, [1, m])], 0);
}

/** Cuts W [n, m] into a kernel of that shape and, if there is one, a bias [m]. */
export function unstacked(W: tf.Tensor2D, kernelShape: ReadonlyArray<number>, bias: boolean): MapWeights {
  const [n, m] = W.shape;
  // The parts are cut from a flat view: the WASM backend refuses a bias that was reshaped from a row.
  const flat = tf.reshape(W, [n * m]);
  const inputs = bias ? n - 1 : n;
  const kernel = tf.reshape(tf.slice(flat, 0, inputs * m), [...kernelShape]);
  return bias ? [kernel, tf.slice(flat, inputs * m, m)] : [kernel];
}

/** Cuts a value [R, …, d] of one group into its positions: [1, R, T, d]. */
export function byPosition(t: tf.Tensor, d: number): tf.Tensor4D {
  const [R] = t.shape as [number];
  return tf.reshape(t, [1, R, t.size / (R * d), d]);
}

/** Adds a bias [m] over the last axis. */
export const plusBias = (z: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor => (bias === undefined ? z : tf.add(z, bias));
