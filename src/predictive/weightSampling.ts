/**
 * Weight sampling: one W = M + √T U_A (S ⊙ E) U_Gᵀ for a whole batch, a concrete network. 2 (n² m + n m²) operations and n·m
 * normals a layer and draw. At a small prior precision deep networks collapse under it (their sampled weights leave the region
 * where the quadratic model holds) while the linearised predictive does not: the reason for that default.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LinearRule, mapRule } from '../network/forward.js';
import { timesTransposed } from '../network/matmul.js';
import type { Block } from '../network/network.js';
import { blockWeights } from '../network/weights.js';
import { foldIn, type Key } from '../random/key.js';
import { normals } from '../random/normals.js';
import type { DeviceLayer, DevicePosterior } from './device.js';

/** One draw: W [P·n, m] of every covered layer. */
export type SampledWeights = ReadonlyMap<Block, tf.Tensor2D>;

/** Draws one network; the caller disposes its tensors. The same key gives the same network on every backend. */
export function drawWeights(posterior: DevicePosterior, key: Key): SampledWeights {
  return new Map(
    posterior.layers.flatMap((layer, i) =>
      [...drawLayer(layer, foldIn(key, i))].map(([block, W]) => [block, tf.keep(W)] as const),
    ),
  );
}

/** One draw of one layer of the posterior, for each of its blocks. */
export function drawLayer({ blocks, variances, inputVectors, gradientVectors }: DeviceLayer, key: Key): SampledWeights {
  const deviations = (): tf.Tensor => {
    const noise = tf.tensor(normals(key, variances.size), variances.shape);
    const scaled = tf.mul(noise, tf.sqrt(variances));
    const left = inputVectors === undefined ? scaled : fromLeft(inputVectors, scaled);
    return gradientVectors === undefined ? left : fromRight(left, gradientVectors);
  };
  const [only] = blocks as [Block];
  const all = tf.tidy(() => tf.reshape(deviations(), [-1]));
  const draw = new Map<Block, tf.Tensor2D>();
  let offset = 0;
  for (const block of blocks) {
    const size = block.groups * block.n * block.m;
    const start = offset;
    const W = tf.tidy(() => {
      const own = only.name === block.name && size === all.size ? all : tf.slice(all, start, size);
      return tf.add(blockWeights(block), tf.reshape(own, [block.groups * block.n, block.m])) as tf.Tensor2D;
    });
    draw.set(block, W);
    offset += size;
  }
  all.dispose();
  return draw;
}

const fromLeft = (V: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  V.rank === 2
    ? tf.matMul(V as tf.Tensor2D, tf.reshape(x, [x.shape[1] as number, -1]) as tf.Tensor2D)
    : tf.matMul(V as tf.Tensor3D, x as tf.Tensor3D);

const fromRight = (x: tf.Tensor, V: tf.Tensor): tf.Tensor =>
  V.rank === 2
    ? timesTransposed(tf.reshape(x, [-1, V.shape[1] as number]) as tf.Tensor2D, V as tf.Tensor2D)
    : tf.matMul(x as tf.Tensor3D, tf.transpose(V as tf.Tensor3D, [0, 2, 1]));

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
