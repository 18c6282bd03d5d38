/**
 * The linearised (GLM) predictive, exact and without Jacobians: f ~ N(f*, Σ_l J_l C_l J_lᵀ) (Immer, Korzepa & Bauer 2021).
 * For a dense layer the Jacobian of output c is a ⊗ g_c; with u = (a U_A)² [B, n] and v_c = g_c U_G [B, m],
 *
 *   (J C Jᵀ)_cc' = Σ_j v_cj v_c'j (u · T S²)_j.
 *
 * Cost: one backward pass of C·B stacked rows, and 2 B (n² + n m) + 2 B C m² operations a layer. Memory: B·C·m numbers.
 * Exact for the linearised network: it equals brute-force Jacobians up to rounding, for both dampings.
 */
import * as tf from '@tensorflow/tfjs-core';
import { inputRows } from '../curvature/estimator.js';
import { backward } from '../network/backward.js';
import { forward } from '../network/forward.js';
import type { Network } from '../network/network.js';
import type { DevicePosterior } from './device.js';

/** Mean and covariance of the outputs f before the link. */
export interface OutputDistribution {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** [B, C, C], or [B, C] when only variances were asked for. */
  readonly covariance: tf.Tensor;
}

/** The distribution of f for one batch. Allocates inside the caller's `tf.tidy`. */
export function linearised(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  want: 'covariance' | 'variance',
): OutputDistribution {
  const tape = forward(network, x);
  const { size: B, outputs } = tape;
  const C = network.outputs;
  const seeds = tf.tile(tf.reshape(tf.eye(C), [C, 1, C]), [1, B, 1]) as tf.Tensor3D;
  let covariance: tf.Tensor = tf.zeros(want === 'covariance' ? [B, C, C] : [B, C]);
  backward(network, tape, seeds, (block, g) => {
    const layer = posterior.layers.get(block.op);
    if (layer === undefined) return;
    const previous = covariance;
    covariance = tf.tidy(() => {
      const u = tf.square(tf.matMul(inputRows(block, tape), layer.inputVectors));
      const q = tf.matMul(u, layer.variances);
      const v = tf.reshape(tf.matMul(g, layer.gradientVectors), [C, B, block.m]);
      const weighted = tf.mul(v, tf.expandDims(q, 0));
      if (want === 'variance') return tf.add(previous, tf.transpose(tf.sum(tf.mul(weighted, v), 2)));
      const perExample = (t: tf.Tensor): tf.Tensor => tf.transpose(t, [1, 0, 2]);
      return tf.add(previous, tf.matMul(perExample(weighted), perExample(v), false, true));
    });
    previous.dispose();
  });
  return { mean: outputs, covariance };
}
