/**
 * A posterior's device copies: made once for a stream of batches, disposed by the operator that made them.
 * Memory: n² + m² + 2 n m float32 numbers a layer (and group); less where a side is the identity.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Block, Network } from '../../network/network.js';
import { isLowRank, type LowRankLayer, noVariances } from '../../posterior/lowRank.js';
import type { Posterior, PosteriorLayer } from '../../posterior/posterior.js';
import { spectrum } from '../../posterior/spectrum.js';
import type { Matrix } from '../../types.js';
import { type DeviceLowRank, uploadLowRank } from './lowRank.js';

/**
 * One layer's distribution on the device. Sides [d, d], or [P, d, d] in P groups; a side without vectors is the identity.
 *
 * A layer of diagonal plus low rank has another form, `lowRank`, and neither sides nor variances: whoever asks for those gets the error
 * that says so.
 */
export interface DeviceLayer {
  /** The network's blocks whose weights it is: one, or for `full` all that are covered. */
  readonly blocks: ReadonlyArray<Block>;
  /** Whether those weights are one column with one covariance (`full`). */
  readonly joint: boolean;
  /** U_A. */
  readonly inputVectors: tf.Tensor | undefined;
  /** U_G. */
  readonly gradientVectors: tf.Tensor | undefined;
  /** T · S² [P, n, m]. */
  readonly variances: tf.Tensor3D;
  /** The form of a last layer whose output factor is diagonal plus low rank. */
  readonly lowRank?: DeviceLowRank;
}

/** A posterior on the device. */
export interface DevicePosterior {
  readonly layers: ReadonlyArray<DeviceLayer>;
  readonly dispose: () => void;
}

/** Uploads a posterior at temperature T; the network's blocks are the posterior's layers. */
export function uploadPosterior(network: Network, posterior: Posterior, temperature: number): DevicePosterior {
  const layers = posterior.layers.map((layer) => uploadLayer(network, posterior, layer, temperature));
  return {
    layers,
    dispose: () => {
      for (const layer of layers) disposeLayer(layer);
    },
  };
}

function disposeLayer(layer: DeviceLayer): void {
  if (layer.lowRank !== undefined) {
    layer.lowRank.dispose();
    return;
  }
  const { inputVectors, gradientVectors, variances } = layer;
  tf.dispose([inputVectors, gradientVectors, variances].filter((t) => t !== undefined));
}

/**
 * The same for a device that cannot hold all of it: each layer is uploaded whenever its tensors are asked for, and lives as long as the
 * caller's `tf.tidy`. Spread a layer, `{ ...layer }`, to upload it once for several uses.
 */
export const posteriorOnDemand = (network: Network, posterior: Posterior, temperature: number): DevicePosterior => ({
  layers: posterior.layers.map((layer): DeviceLayer => {
    if (isLowRank(layer)) return lowRankLayer(network, layer, () => uploadLowRank(posterior, layer, temperature, (t) => t));
    const { blocks, joint } = placeOf(network, layer);
    return {
      blocks,
      joint,
      get inputVectors() {
        return uploadVectors(layer.input.vectors, layer.groups);
      },
      get gradientVectors() {
        return uploadVectors(layer.gradient.vectors, layer.groups);
      },
      get variances() {
        return tf.tidy(() => deviceVariances(posterior, layer, temperature));
      },
    };
  }),
  dispose: () => {},
});

/** The network's blocks whose weights a layer of the posterior is. */
function placeOf(network: Network, { name, members }: PosteriorLayer): Pick<DeviceLayer, 'blocks' | 'joint'> {
  const names = members ?? [name];
  return { blocks: network.blocks.filter((block) => names.includes(block.name)), joint: members !== undefined };
}

function uploadLayer(network: Network, posterior: Posterior, layer: PosteriorLayer, temperature: number): DeviceLayer {
  if (isLowRank(layer)) {
    const own = uploadLowRank(posterior, layer, temperature, tf.keep);
    return lowRankLayer(network, layer, () => own);
  }
  const kept = (vectors: tf.Tensor | undefined): tf.Tensor | undefined => vectors && tf.keep(vectors);
  return {
    ...placeOf(network, layer),
    inputVectors: kept(uploadVectors(layer.input.vectors, layer.groups)),
    gradientVectors: kept(uploadVectors(layer.gradient.vectors, layer.groups)),
    variances: tf.keep(tf.tidy(() => deviceVariances(posterior, layer, temperature))),
  };
}

function lowRankLayer(network: Network, layer: LowRankLayer, get: () => DeviceLowRank): DeviceLayer {
  const refuse = {
    get: () => {
      throw noVariances(layer.name);
    },
    // Of a layer that is spread, too.
    enumerable: true,
  };
  const sides = { inputVectors: refuse, gradientVectors: refuse, variances: refuse };
  return Object.defineProperties(
    { ...placeOf(network, layer) },
    { ...sides, lowRank: { get, enumerable: true } },
  ) as unknown as DeviceLayer;
}

function deviceVariances(posterior: Posterior, layer: PosteriorLayer, temperature: number): tf.Tensor3D {
  const { groups: P, n, m } = layer;
  const own = spectrum(posterior, layer);
  const values = (data: Float64Array, shape: [number, number, number]): tf.Tensor => tf.tensor(Float32Array.from(data), shape);
  const curvature =
    own._tag === 'table'
      ? values(own.curvature, [P, n, m])
      : tf.mul(values(own.input, [P, n, 1]), values(own.gradient, [P, 1, m]));
  return tf.div(temperature, tf.add(curvature, own.shift));
}

function uploadVectors(vectors: Matrix | undefined, groups: number): tf.Tensor | undefined {
  if (vectors === undefined) return undefined;
  const d = vectors.cols;
  return tf.tensor(Float32Array.from(vectors.data), groups === 1 ? [d, d] : [groups, d, d]);
}
