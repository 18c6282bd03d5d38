/**
 * Weight sampling: one W for a whole batch, a concrete network, W = M plus a draw of the layer's structure (`device/structure`). One
 * seed gives the same networks on every backend and engine.
 *
 * At a small prior precision deep networks collapse under it (their sampled weights leave the region where the quadratic model holds) while
 * the linearised predictive does not: the reason for that default.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LinearRule, mapRule } from '../../network/forward.js';
import type { Block } from '../../network/network.js';
import { blockWeights } from '../../network/weights.js';
import { type Noise, noiseAt } from '../../random/noise.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';

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

/** The rule of a drawn network; layers that are not covered run at their MAP. */
export function sampledNetwork(draw: SampledWeights): LinearRule {
  const weights = new Map([...draw].flatMap(([block, W]) => block.ops.map((op) => [op, W] as const)));
  return (op, x) => {
    const W = weights.get(op);
    return W === undefined ? mapRule(op, x) : op.map.apply(x, op.map.fromMatrix(W));
  };
}
