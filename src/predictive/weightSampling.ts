/**
 * Weight sampling: one W for a whole batch, a concrete network,
 *
 *   W = M + √T · U_A (S ⊙ (U_Aᵀ E U_G)) U_Gᵀ,   E [n, m] standard normal,
 *
 * the symmetric square root of the covariance times E. Turned into the eigenbasis E is as standard normal as before, but the draw no
 * longer depends on the basis: not on signs, nor on the vectors that an engine happens to choose for a repeated eigenvalue (the
 * null space of factors, above all). Of one seed all backends and engines draw the same networks.
 *
 * 4 (n² m + n m²) operations and n·m normals a layer and draw. At a small prior precision deep networks collapse under it (their sampled weights leave the region
 * where the quadratic model holds) while the linearised predictive does not: the reason for that default.
 */
import * as tf from '@tensorflow/tfjs-core';
import { affine, type DenseRule, mapRule } from '../network/forward.js';
import { timesTransposed, transposedTimes } from '../network/matmul.js';
import type { DenseOp } from '../network/ops.js';
import { blockWeights } from '../network/weights.js';
import { foldIn, type Key } from '../random/key.js';
import { normals } from '../random/normals.js';
import type { DevicePosterior } from './device.js';

/** One draw: W [n, m] of every covered layer. */
export type SampledWeights = ReadonlyMap<DenseOp, tf.Tensor2D>;

/** Draws one network; the caller disposes its tensors. The same key gives the same network on every backend. */
export function drawWeights(posterior: DevicePosterior, key: Key): SampledWeights {
  const draw = new Map<DenseOp, tf.Tensor2D>();
  [...posterior.layers.values()].forEach((layer, i) => {
    const { n, m, op } = layer.block;
    const W = tf.tidy(() => {
      const noise = tf.tensor2d(normals(foldIn(key, i), n * m), [n, m]);
      const { inputVectors, gradientVectors, variances } = layer;
      const scaled = tf.mul(tf.matMul(transposedTimes(inputVectors, noise), gradientVectors), tf.sqrt(variances));
      const deviation = timesTransposed(tf.matMul(inputVectors, scaled), gradientVectors);
      return tf.keep(tf.add(blockWeights(layer.block), deviation) as tf.Tensor2D);
    });
    draw.set(op, W);
  });
  return draw;
}

/** Frees a draw. */
export const disposeWeights = (draw: SampledWeights): void => {
  for (const W of draw.values()) W.dispose();
};

/** The dense rule of a drawn network; layers that are not covered run at their MAP. */
export const sampledNetwork =
  (draw: SampledWeights): DenseRule =>
  (op, a) => {
    const W = draw.get(op);
    return W === undefined ? mapRule(op, a) : affine(a, W);
  };
