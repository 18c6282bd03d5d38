/**
 * Activation sampling (local reparameterisation; Kingma, Salimans & Welling 2015): given its inputs a, a dense layer's
 * pre-activations are Gaussian, and are drawn directly,
 *
 *   z = a M + √T ((ε U_G ⊙ √(u S²)) U_Gᵀ),   u = (a U_A)²,   ε [B, m] standard normal,
 *
 * the symmetric square root of their covariance times ε, which does not depend on the choice of eigenvectors (see weightSampling).
 * Every example's marginal predictive is exactly that of weight sampling; only the correlation between examples differs. Costs
 * m normals an example and layer instead of n·m, and no n³.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type DenseRule, homogeneous, mapRule } from '../network/forward.js';
import { timesTransposed } from '../network/matmul.js';
import { foldIn, type Key } from '../random/key.js';
import { normals } from '../random/normals.js';
import type { DevicePosterior } from './device.js';

/** A dense rule that draws pre-activations; every layer uses its own part of the key. */
export function sampledActivations(posterior: DevicePosterior, key: Key): DenseRule {
  const order = new Map([...posterior.layers.keys()].map((op, i) => [op, i]));
  return (op, a) => {
    const z = mapRule(op, a);
    const layer = posterior.layers.get(op);
    if (layer === undefined) return z;
    return tf.tidy(() => {
      const [rows, m] = z.shape;
      const u = tf.square(tf.matMul(homogeneous(a, layer.block.bias), layer.inputVectors));
      const deviation = tf.sqrt(tf.matMul(u, layer.variances));
      const noise = tf.tensor2d(normals(foldIn(key, order.get(op) as number), rows * m), [rows, m]);
      const scaled: tf.Tensor2D = tf.mul(tf.matMul(noise, layer.gradientVectors), deviation);
      return tf.add(z, timesTransposed(scaled, layer.gradientVectors));
    });
  };
}
