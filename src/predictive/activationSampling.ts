/**
 * Activation sampling (local reparameterisation; Kingma, Salimans & Welling 2015): given its inputs a, a layer's pre-activations at
 * one position are Gaussian, and are drawn directly,
 *
 *   z = a M + √T ((ε U_G ⊙ √(u S²)) U_Gᵀ),   u = (a U_A)²,   ε [B, m] standard normal,
 *
 * the symmetric square root of their covariance times ε, which does not depend on the choice of eigenvectors (see weightSampling).
 * Every example's marginal predictive is exactly that of weight sampling; only the correlation between examples differs. Costs
 * m normals an example and layer instead of n·m, and no n³. Where one example meets the same weights several times (convolutions,
 * sequences, a layer that is used twice, `full`) its positions share their noise: there one W is drawn for the batch, which keeps
 * the marginals exact as well. So it does for a last layer of diagonal plus low rank: noise of its own for each example would cost as much
 * as a W each.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LinearRule, mapRule } from '../network/forward.js';
import { rotate } from '../network/gradients.js';
import { timesTransposed } from '../network/matmul.js';
import type { Block } from '../network/network.js';
import type { LinearOp } from '../network/ops.js';
import { inputsOfUse } from '../network/positions.js';
import { foldIn, type Key } from '../random/key.js';
import { normals } from '../random/normals.js';
import type { DeviceLayer, DevicePosterior } from './device.js';
import { drawLayer, type SampledWeights, sampledNetwork } from './weightSampling.js';

/**
 * A rule that draws pre-activations; every layer uses its own part of the key. Draws of whole weights live as long as the caller's
 * `tf.tidy`.
 */
export function sampledActivations(posterior: DevicePosterior, key: Key): LinearRule {
  const order = new Map(posterior.layers.flatMap((layer, i) => layer.blocks.flatMap((b) => b.ops.map((op) => [op, i] as const))));
  const drawn = new Map<number, SampledWeights>();
  return (op, x) => {
    const i = order.get(op);
    if (i === undefined) return mapRule(op, x);
    const layer = posterior.layers[i] as DeviceLayer;
    const own = foldIn(key, i);
    if (isLocal(layer)) return localNoise(layer, layer.blocks[0] as Block, op, x, own);
    const draw = drawn.get(i) ?? drawLayer(layer, own);
    drawn.set(i, draw);
    return sampledNetwork(draw)(op, x);
  };
}

/** One use, one position, one group, independent directions: the noise of an example's z is its own. */
const isLocal = ({ blocks, joint, lowRank }: DeviceLayer): boolean =>
  !joint &&
  lowRank === undefined &&
  blocks[0]?.ops.length === 1 &&
  blocks[0].map.positions === 1 &&
  blocks[0].groups === 1 &&
  blocks[0].structure !== 'embedding';

function localNoise(layer: DeviceLayer, block: Block, op: LinearOp, x: tf.Tensor, key: Key): tf.Tensor {
  const z = mapRule(op, x);
  return tf.tidy(() => {
    const [B] = z.shape as [number];
    const { n, m } = block;
    const u = tf.square(rotate(inputsOfUse(block, x), layer.inputVectors));
    const deviation = tf.sqrt(
      tf.matMul(tf.reshape(u, [B, n]) as tf.Tensor2D, tf.reshape(layer.variances, [n, m]) as tf.Tensor2D),
    );
    const drawn = tf.tensor2d(normals(key, B * m), [B, m]);
    const inBasis = layer.gradientVectors === undefined ? drawn : tf.matMul(drawn, layer.gradientVectors as tf.Tensor2D);
    const noise = tf.mul(inBasis, deviation);
    const rotated =
      layer.gradientVectors === undefined ? noise : timesTransposed(noise as tf.Tensor2D, layer.gradientVectors as tf.Tensor2D);
    return tf.add(z, tf.reshape(rotated, z.shape));
  });
}
