/**
 * Weight sampling: one W for a whole batch, a concrete network,
 *
 *   W = M + √T · U_A (S ⊙ (U_Aᵀ E U_G)) U_Gᵀ,   E [n, m] standard normal,
 *
 * the symmetric square root of the covariance times E. Turned into the eigenbasis E is as standard normal as before, but the draw no
 * longer depends on the basis: not on signs, nor on the vectors that an engine happens to choose for a repeated eigenvalue (the
 * null space of factors, above all). Of one seed all backends and engines draw the same networks.
 *
 * 4 (n² m + n m²) operations and n·m normals a layer and draw. At a small prior precision deep networks collapse under it (their
 * sampled weights leave the region where the quadratic model holds) while the linearised predictive does not: the reason for that
 * default.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LinearRule, mapRule } from '../../network/forward.js';
import { timesTransposed, transposedTimes } from '../../network/matmul.js';
import type { Block } from '../../network/network.js';
import { blockWeights } from '../../network/weights.js';
import { type Noise, noiseAt, noiseNormals } from '../../random/noise.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import type { DeviceLowRank } from '../device/lowRank.js';

/** One draw: W [P·n, m] of every covered layer. */
export type SampledWeights = ReadonlyMap<Block, tf.Tensor2D>;

/** Draws one network; the caller disposes its tensors. The same noise gives the same network on every backend. */
export function drawWeights(posterior: DevicePosterior, noise: Noise): SampledWeights {
  return new Map(
    posterior.layers.flatMap((layer, i) =>
      [...drawLayer(layer, noiseAt(noise, i))].map(([block, W]) => [block, tf.keep(W)] as const),
    ),
  );
}

/** One draw of one layer of the posterior, for each of its blocks. */
export function drawLayer(layer: DeviceLayer, noise: Noise): SampledWeights {
  const draw = [...drawDeviations(layer, noise)].map(([block, deviation]) => {
    const W = tf.tidy(() => tf.add(blockWeights(block), deviation) as tf.Tensor2D);
    deviation.dispose();
    return [block, W] as const;
  });
  return new Map(draw);
}

/** The same without the mean: W − M. */
export function drawDeviations(layer: DeviceLayer, noise: Noise): SampledWeights {
  const { blocks } = layer;
  const deviation = tf.tidy(() => {
    if (layer.lowRank !== undefined) return lowRankDeviation(layer.lowRank, blocks[0] as Block, noise);
    const { variances, inputVectors, gradientVectors } = layer;
    const normals = tf.tensor(noiseNormals(noise, variances.size), variances.shape) as tf.Tensor3D;
    const inBasis = timesBasis(basisTimes(inputVectors, normals, true), gradientVectors, false);
    const scaled = tf.mul(inBasis, tf.sqrt(variances)) as tf.Tensor3D;
    return tf.reshape(timesBasis(basisTimes(inputVectors, scaled, false), gradientVectors, true), [-1]);
  });
  const draw = new Map<Block, tf.Tensor2D>();
  let offset = 0;
  for (const block of blocks) {
    const [start, size] = [offset, block.groups * block.n * block.m];
    draw.set(
      block,
      tf.tidy(() => tf.reshape(tf.slice(deviation, start, size), [block.groups * block.n, block.m])),
    );
    offset += size;
  }
  deviation.dispose();
  return draw;
}

/** The rows along U_A are drawn each with its own covariance (`lowRank.ts`). */
function lowRankDeviation(lowRank: DeviceLowRank, { n, m }: Block, noise: Noise): tf.Tensor {
  const part = (i: number): tf.Tensor2D => tf.tensor2d(noiseNormals(noiseAt(noise, i), n * m), [n, m]);
  return tf.reshape(lowRank.deviations(part(0), part(1)), [-1]);
}

/** V X or Vᵀ X in every group, X [P, n, m]; X itself without V. */
function basisTimes(V: tf.Tensor | undefined, x: tf.Tensor3D, transposed: boolean): tf.Tensor3D {
  if (V === undefined) return x;
  const [P, n, m] = x.shape;
  const basis = tf.reshape(V, [P, n, n]) as tf.Tensor3D;
  if (P > 1) return tf.matMul(transposed ? (tf.transpose(basis, [0, 2, 1]) as tf.Tensor3D) : basis, x);
  const flat = (t: tf.Tensor, cols: number): tf.Tensor2D => tf.reshape(t, [n, cols]) as tf.Tensor2D;
  const product = transposed ? transposedTimes(flat(basis, n), flat(x, m)) : tf.matMul(flat(basis, n), flat(x, m));
  return tf.reshape(product, [1, n, m]);
}

/** X V or X Vᵀ in every group. */
function timesBasis(x: tf.Tensor3D, V: tf.Tensor | undefined, transposed: boolean): tf.Tensor3D {
  if (V === undefined) return x;
  const [P, n, m] = x.shape;
  const basis = tf.reshape(V, [P, m, m]) as tf.Tensor3D;
  if (P > 1) return tf.matMul(x, transposed ? (tf.transpose(basis, [0, 2, 1]) as tf.Tensor3D) : basis);
  const [rows, right] = [tf.reshape(x, [n, m]) as tf.Tensor2D, tf.reshape(basis, [m, m]) as tf.Tensor2D];
  return tf.reshape(transposed ? timesTransposed(rows, right) : tf.matMul(rows, right), [1, n, m]);
}

/** Frees a draw. */
export const disposeWeights = (draw: SampledWeights): void => {
  for (const W of draw.values()) W.dispose();
};

/** The rule of a drawn network; layers that are not covered run at their MAP. */
export function sampledNetwork(draw: SampledWeights): LinearRule {
  const weights = new Map([...draw].flatMap(([block, W]) => block.ops.map((op) => [op, W] as const)));
  return (op, x) => {
    const W = weights.get(op);
    return W === undefined ? mapRule(op, x) : op.map.apply(x, op.map.fromMatrix(W));
  };
}
