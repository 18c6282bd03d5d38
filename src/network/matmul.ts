/**
 * Products with a transposed operand. tfjs's WASM kernel runs them fifteen times slower than plain ones, so there the
 * transpose is made first; the other backends do better with the flag.
 */
import * as tf from '@tensorflow/tfjs-core';

const transposesAreSlow = (): boolean => tf.getBackend() === 'wasm';

/** X Yᵀ: x [R, q], y [p, q] to [R, p]. */
export const timesTransposed = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D =>
  transposesAreSlow() ? tf.matMul(x, tf.transpose(y)) : tf.matMul(x, y, false, true);

/** Xᵀ Y: x [q, p], y [q, R] to [p, R]. */
export const transposedTimes = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D =>
  transposesAreSlow() ? tf.matMul(tf.transpose(x), y) : tf.matMul(x, y, true, false);

/** Second moments Σ_r r rᵀ = RᵀR of rows [R, p]: [p, p]; of rows in groups [P, R, p]: [P, p, p]. */
export function gram(rows: tf.Tensor2D | tf.Tensor3D): tf.Tensor {
  const own = rows as tf.Tensor2D;
  if (!transposesAreSlow()) return tf.matMul(own, own, true, false);
  return tf.matMul(tf.transpose(own, rows.rank === 2 ? [1, 0] : [0, 2, 1]), own);
}
