/**
 * The variances and covariances of the outputs if only the network's last layer is covered, a dense layer. Its pre-activation z
 * is f, so the gradient of output c in z is the unit vector e_c. With q = (a U_A)² (T S²) [B, m]
 *
 *   variance_bc = Σ_j (U_G)_cj² q_bj,   covariance_b = U_G diag(q_b) U_Gᵀ.
 *
 * Variances take 2 B (n² + n m + m²) operations, and memory for a few arrays [B, n] and [B, m]. Covariances take 2 B m³
 * operations, in chunks of examples. The results equal the results of the general way in `linearised.ts` up to rounding.
 */
import * as tf from '@tensorflow/tfjs-core';
import { LAYER_CHUNK, SQUARES_CHUNK } from '../../../limits.js';
import { concat } from '../../../network/concat.js';
import { timesTransposed } from '../../../network/matmul.js';
import type { DeviceDirections, Want } from './structure.js';

/** u = (a U_A)² [B, n], from inputs a [B, n]. */
export const squaredAlong = ({ inputVectors }: DeviceDirections, a: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => tf.square(inputVectors === undefined ? a : tf.matMul(a, inputVectors as tf.Tensor2D)));

/** The variances [B, C] or covariances [B, C, C] of the outputs, from u [B, n]. */
export function outputsAlong({ gradientVectors, variances }: DeviceDirections, u: tf.Tensor2D, want: Want): tf.Tensor {
  const [, n, m] = variances.shape;
  const U = gradientVectors as tf.Tensor2D | undefined;
  return tf.tidy(() => {
    const q = tf.matMul(u, tf.reshape(variances, [n, m]) as tf.Tensor2D) as tf.Tensor2D;
    if (want === 'covariance') return U === undefined ? tf.mul(tf.expandDims(q, 2), tf.eye(m)) : covariances(q, U);
    if (U === undefined) return q;
    const columns = tf.transpose(q);
    q.dispose();
    return variancesOf(columns, U);
  });
}

/**
 * U_G² q_b for every example, [B, C], computed for some rows of U_G at a time. It takes q and makes the result transposed, instead of
 * U_G, because a product with a transposed operand is slow on WASM.
 *
 * @param columns qᵀ [m, B]
 */
function variancesOf(columns: tf.Tensor2D, U: tf.Tensor2D): tf.Tensor {
  const [C, m] = U.shape;
  const step = Math.max(1, Math.floor(SQUARES_CHUNK / m));
  const parts: tf.Tensor[] = [];
  for (let first = 0; first < C; first += step) {
    const count = Math.min(step, C - first);
    parts.push(
      tf.tidy(() => tf.matMul(tf.square(count === C ? U : (tf.slice(U, [first, 0], [count, m]) as tf.Tensor2D)), columns)),
    );
  }
  return tf.transpose(concat(parts, 0));
}

function covariances(q: tf.Tensor2D, U: tf.Tensor2D): tf.Tensor3D {
  const [B, m] = q.shape;
  const [C] = U.shape;
  const step = Math.max(1, Math.floor(LAYER_CHUNK / (C * m)));
  const parts: tf.Tensor3D[] = [];
  for (let first = 0; first < B; first += step) {
    const count = Math.min(step, B - first);
    parts.push(
      tf.tidy(() => {
        const scaled = tf.mul(tf.reshape(tf.slice(q, [first, 0], [count, m]), [count, 1, m]), U);
        return tf.reshape(timesTransposed(tf.reshape(scaled, [count * C, m]) as tf.Tensor2D, U), [count, C, C]);
      }),
    );
  }
  return concat(parts, 0);
}
