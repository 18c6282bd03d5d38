/**
 * Activation sampling (local reparameterisation; Kingma, Salimans & Welling 2015). Given the inputs a, a layer's pre-activations
 * at one position are Gaussian. So they are drawn directly instead of the weights:
 *
 *   z = a M + √T ((ε U_G ⊙ √(u S²)) U_Gᵀ),   u = (a U_A)²,   ε [B, m] standard normal,
 *
 * This is a M plus the symmetric square root of the covariance times ε, which does not depend on the choice of eigenvectors
 * (`device/structure/deviation.ts`). It costs m normals for each example and layer instead of n·m for each layer, and no n³
 * operations.
 *
 * Only a dense layer on vectors that is used once draws noise for each example. The others draw one W for the batch: layers whose
 * weights an example's positions or uses share (convolutions, recurrent layers, embeddings, layers on sequences and grids, layers
 * used twice), layers with groups (depthwise convolutions, normalisations), `full` (one covariance for all layers), and `lowRank`
 * unless G is diagonal (noise for each example would cost as much as a W for each). The predictive of each example by itself is
 * exactly that of weight sampling either way. Only the correlation between examples differs; under one W the correlation and the
 * cost are the same too.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Features, type LinearRule, mapRule } from '../../network/forward.js';
import { rotate } from '../../network/gradients.js';
import { timesTransposed } from '../../network/matmul.js';
import type { Block } from '../../network/network.js';
import type { LinearOp } from '../../network/ops.js';
import { inputsOfUse } from '../../network/positions.js';
import { type Noise, noiseAt, noiseNormals } from '../../random/noise.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import { drawLayer, type SampledWeights, sampledNetwork } from './weightSampling.js';

/** The moments of a layer's pre-activations. For the lowest layers they are the same in every draw. */
export interface LocalMoments {
  /** The mean a M, [B, …], to which the noise is added. */
  readonly mean: tf.Tensor;
  /** √(T u S²) [B, m], along U_G: the noise is multiplied by it. */
  readonly deviation: tf.Tensor2D;
}

/** The moments of the layers whose inputs no draw changes. Allocates inside the caller's `tf.tidy`. */
export function fixedMoments(posterior: DevicePosterior, { values, above }: Features): ReadonlyMap<LinearOp, LocalMoments> {
  const layers = layersByOp(posterior);
  return new Map(
    above.flatMap((op) => {
      if (op.kind !== 'linear') return [];
      const [layer, x] = [layers.get(op)?.layer, values.get(op.input)];
      return layer === undefined || x === undefined || !isLocal(layer) ? [] : [[op, localMoments(layer, op, x)] as const];
    }),
  );
}

/**
 * A rule that draws pre-activations. Every layer of the posterior has its own place in the noise. Draws of whole weights live as
 * long as the caller's `tf.tidy`.
 *
 * @param fixed moments from `fixedMoments`, which then need not be computed again
 */
export function sampledActivations(
  posterior: DevicePosterior,
  noise: Noise,
  fixed: ReadonlyMap<LinearOp, LocalMoments> = new Map(),
): LinearRule {
  const layers = layersByOp(posterior);
  const drawn = new Map<number, SampledWeights>();
  return (op, x) => {
    const found = layers.get(op);
    if (found === undefined) return mapRule(op, x);
    const { layer, index } = found;
    const own = noiseAt(noise, index);
    if (isLocal(layer)) return withNoise(layer, fixed.get(op) ?? localMoments(layer, op, x), own);
    const draw = drawn.get(index) ?? drawLayer(layer, own);
    drawn.set(index, draw);
    return sampledNetwork(draw)(op, x);
  };
}

const layersByOp = ({
  layers,
}: DevicePosterior): ReadonlyMap<LinearOp, { readonly layer: DeviceLayer; readonly index: number }> =>
  new Map(layers.flatMap((layer, index) => layer.blocks.flatMap((b) => b.ops.map((op) => [op, { layer, index }] as const))));

/** Whether each example has its own noise in z: the layer has one use, one position, one group and independent directions. */
const isLocal = ({ blocks, coupled, directional }: DeviceLayer): boolean =>
  !coupled &&
  directional &&
  blocks[0]?.ops.length === 1 &&
  blocks[0].map.positions === 1 &&
  blocks[0].groups === 1 &&
  blocks[0].map.inputs !== 'tokens';

const localMoments = ({ blocks, lend }: DeviceLayer, op: LinearOp, x: tf.Tensor): LocalMoments =>
  tf.tidy(() => {
    const block = blocks[0] as Block;
    const { n, m } = block;
    const deviation = lend((form) => {
      const { inputVectors, variances } = form.directions();
      const u = tf.square(rotate(inputsOfUse(block, x), inputVectors));
      return tf.sqrt(tf.matMul(tf.reshape(u, [-1, n]) as tf.Tensor2D, tf.reshape(variances, [n, m]) as tf.Tensor2D));
    });
    return { mean: mapRule(op, x), deviation: deviation as tf.Tensor2D };
  });

function withNoise({ lend }: DeviceLayer, { mean, deviation }: LocalMoments, noise: Noise): tf.Tensor {
  return tf.tidy(() => {
    const normals = tf.tensor2d(noiseNormals(noise, deviation.size), deviation.shape);
    const rotated = lend((form) => {
      const V = form.directions().gradientVectors as tf.Tensor2D | undefined;
      const inBasis = V === undefined ? normals : tf.matMul(normals, V);
      const scaled = tf.mul(inBasis, deviation) as tf.Tensor2D;
      return V === undefined ? scaled : timesTransposed(scaled, V);
    });
    return tf.add(mean, tf.reshape(rotated, mean.shape));
  });
}
