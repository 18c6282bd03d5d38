/**
 * A draw of a layer's weights, minus their mean, for weights that are independent along directions:
 *
 *   W − M = √T · U_A (S ⊙ (U_Aᵀ E U_G)) U_Gᵀ,   E [n, m] standard normal,
 *
 * This is the symmetric square root of the covariance times E. In the eigenbasis, U_Aᵀ E U_G is standard normal just as E is. But
 * this way the draw does not depend on the basis: neither on signs, nor on the vectors that an engine chooses for a repeated
 * eigenvalue, such as 0 in the null space of a factor. Cost in each group: 4 (n² m + n m²) operations and n·m normals.
 */
import * as tf from '@tensorflow/tfjs-core';
import { timesTransposed, transposedTimes } from '../../../network/matmul.js';
import { type Noise, noiseNormals } from '../../../random/noise.js';
import type { DeviceDirections } from './structure.js';

/** Draws W − M: P·n·m numbers, row by row. */
export const deviationAlong = ({ variances, inputVectors, gradientVectors }: DeviceDirections, noise: Noise): tf.Tensor =>
  tf.tidy(() => {
    const normals = tf.tensor(noiseNormals(noise, variances.size), variances.shape) as tf.Tensor3D;
    const inBasis = timesBasis(basisTimes(inputVectors, normals, true), gradientVectors, false);
    const scaled = tf.mul(inBasis, tf.sqrt(variances)) as tf.Tensor3D;
    return tf.reshape(timesBasis(basisTimes(inputVectors, scaled, false), gradientVectors, true), [-1]);
  });

/** V X or Vᵀ X in every group, for X [P, n, m]. Without V it is X itself. */
function basisTimes(V: tf.Tensor | undefined, x: tf.Tensor3D, transposed: boolean): tf.Tensor3D {
  if (V === undefined) return x;
  const [P, n, m] = x.shape;
  const basis = tf.reshape(V, [P, n, n]) as tf.Tensor3D;
  if (P > 1) return tf.matMul(transposed ? (tf.transpose(basis, [0, 2, 1]) as tf.Tensor3D) : basis, x);
  const flat = (t: tf.Tensor, cols: number): tf.Tensor2D => tf.reshape(t, [n, cols]) as tf.Tensor2D;
  const product = transposed ? transposedTimes(flat(basis, n), flat(x, m)) : tf.matMul(flat(basis, n), flat(x, m));
  return tf.reshape(product, [1, n, m]);
}

/** X V or X Vᵀ in every group, for X [P, n, m]. Without V it is X itself. */
function timesBasis(x: tf.Tensor3D, V: tf.Tensor | undefined, transposed: boolean): tf.Tensor3D {
  if (V === undefined) return x;
  const [P, n, m] = x.shape;
  const basis = tf.reshape(V, [P, m, m]) as tf.Tensor3D;
  if (P > 1) return tf.matMul(x, transposed ? (tf.transpose(basis, [0, 2, 1]) as tf.Tensor3D) : basis);
  const [rows, right] = [tf.reshape(x, [n, m]) as tf.Tensor2D, tf.reshape(basis, [m, m]) as tf.Tensor2D];
  return tf.reshape(transposed ? timesTransposed(rows, right) : tf.matMul(rows, right), [1, n, m]);
}
