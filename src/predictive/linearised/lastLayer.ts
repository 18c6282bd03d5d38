/**
 * The outputs' distribution where nothing is covered but the dense layer that ends the network (`network/lastLayer.ts`): one forward
 * pass and none back. The gradient of output c in z is e_c, so that with q = (a U_A)² (T S²) [B, m]
 *
 *   variance_bc = Σ_j (U_G)_cj² q_bj,   covariance_b = U_G diag(q_b) U_Gᵀ.
 *
 * Variances: 2 B (n² + n m + m²) operations, and a few [B, n] and [B, m] on the way. Covariances: 2 B m³ operations, in chunks of
 * examples. The same numbers as the general way of `linearised.ts`, up to rounding.
 */
import * as tf from '@tensorflow/tfjs-core';
import { LAYER_CHUNK, SQUARES_CHUNK } from '../../limits.js';
import type { Tape } from '../../network/forward.js';
import { rotate } from '../../network/gradients.js';
import { lastLayer } from '../../network/lastLayer.js';
import { timesTransposed } from '../../network/matmul.js';
import type { Block, Network } from '../../network/network.js';
import { inputsAt } from '../../network/positions.js';
import type { Want } from '../device/costs.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';

/** The posterior's one layer, where it is the last one and its form is that of two sides; undefined for any other posterior. */
export function lastOf(network: Network, { layers }: DevicePosterior): DeviceLayer | undefined {
  const [layer, ...others] = layers;
  if (layer === undefined || layer.joint || others.length > 0) return undefined;
  return lastLayer(network) === layer.blocks[0] ? layer : undefined;
}

/** Variances [B, C] or covariances [B, C, C] of f. Allocates inside the caller's `tf.tidy`. */
export function ofLast(last: DeviceLayer, tape: Tape, want: Want): tf.Tensor {
  const { lowRank, blocks } = last;
  if (lowRank !== undefined) {
    const a = tf.reshape(inputsAt(blocks[0] as Block, tape), [tape.size, -1]) as tf.Tensor2D;
    return want === 'variance' ? lowRank.variances(a) : lowRank.covariances(a);
  }
  // What is uploaded when it is asked for is asked for once.
  const layer = { ...last };
  const q = tf.tidy(() => alongDirections(layer, tape));
  const U = layer.gradientVectors as tf.Tensor2D | undefined;
  if (want === 'variance') return U === undefined ? q : tf.tidy(() => variancesOf(q, U));
  if (U === undefined) return tf.tidy(() => tf.mul(tf.expandDims(q, 2), tf.eye(q.shape[1])));
  return tf.tidy(() => covariances(q, U));
}

/** q [B, m]: variances of z along the directions of the gradient's side. */
function alongDirections({ blocks, inputVectors, variances }: DeviceLayer, tape: Tape): tf.Tensor2D {
  const { n, m } = blocks[0] as Block;
  const u = tf.square(rotate(inputsAt(blocks[0] as Block, tape), inputVectors));
  return tf.matMul(tf.reshape(u, [tape.size, n]) as tf.Tensor2D, tf.reshape(variances, [n, m]) as tf.Tensor2D);
}

/** U_G² q_b of every example, some rows of U_G at a time. Here q is transposed and the result, not U_G: that is slow on WASM. */
function variancesOf(q: tf.Tensor2D, U: tf.Tensor2D): tf.Tensor {
  const columns = tf.transpose(q);
  const [C, m] = U.shape;
  const step = Math.max(1, Math.floor(SQUARES_CHUNK / m));
  const parts: tf.Tensor[] = [];
  for (let first = 0; first < C; first += step) {
    const count = Math.min(step, C - first);
    parts.push(
      tf.tidy(() => tf.matMul(tf.square(count === C ? U : (tf.slice(U, [first, 0], [count, m]) as tf.Tensor2D)), columns)),
    );
  }
  return tf.transpose(parts.length === 1 ? (parts[0] as tf.Tensor) : tf.concat(parts, 0));
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
  return parts.length === 1 ? (parts[0] as tf.Tensor3D) : tf.concat(parts, 0);
}
