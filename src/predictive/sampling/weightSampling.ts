/**
 * Weight sampling: one concrete network for a whole batch. The weights W of a layer are M plus a draw that the layer's structure
 * makes (`device/structure`). One seed gives the same networks on every backend and linear algebra engine.
 *
 * At a small prior precision, weight sampling makes deep networks collapse, because the sampled weights leave the region where
 * the quadratic model holds. The linearised predictive does not collapse, which is why it is the default.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LinearRule, mapRule } from '../../network/forward.js';
import type { Block } from '../../network/network.js';
import { blockWeights } from '../../network/weights.js';
import { type Noise, noiseAt } from '../../random/noise.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';

/** One draw: a matrix [P·n, m] for each block, either its weights W or the deviations W − M. */
export type SampledWeights = ReadonlyMap<Block, tf.Tensor2D>;

/**
 * Draws the weights W of one network. The caller disposes the tensors. The same noise gives the same network on every backend.
 */
export function drawWeights(posterior: DevicePosterior, noise: Noise): SampledWeights {
  return new Map(
    posterior.layers.flatMap((layer, i) =>
      [...drawLayer(layer, noiseAt(noise, i))].map(([block, W]) => [block, tf.keep(W)] as const),
    ),
  );
}

/**
 * Draws the weights W of one layer of the posterior, for each of its blocks. Allocates inside the caller's `tf.tidy`, if there is
 * one.
 */
export function drawLayer(layer: DeviceLayer, noise: Noise): SampledWeights {
  const draw = [...drawDeviations(layer, noise)].map(([block, deviation]) => {
    const W = tf.tidy(() => tf.add(blockWeights(block), deviation) as tf.Tensor2D);
    deviation.dispose();
    return [block, W] as const;
  });
  return new Map(draw);
}

/** Draws the deviations W − M of one layer of the posterior, for each of its blocks. */
export function drawDeviations({ blocks, lend }: DeviceLayer, noise: Noise): SampledWeights {
  const deviation = lend((form) => form.deviation(noise));
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

/** Frees a draw. */
export const disposeWeights = (draw: SampledWeights): void => {
  for (const W of draw.values()) W.dispose();
};

/** The rule by which a drawn network runs. Layers that are not covered run at their MAP. */
export function sampledNetwork(draw: SampledWeights): LinearRule {
  const weights = new Map([...draw].flatMap(([block, W]) => block.ops.map((op) => [op, W] as const)));
  return (op, x) => {
    const W = weights.get(op);
    return W === undefined ? mapRule(op, x) : op.map.apply(x, op.map.fromMatrix(W));
  };
}
