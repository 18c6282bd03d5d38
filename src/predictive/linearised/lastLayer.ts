/**
 * The distribution of the outputs if only the dense layer that ends the network is covered (`network/lastLayer.ts`). It takes one
 * forward pass and no backward pass. The layer's structure computes variances or covariances from the layer's inputs
 * (`device/structure`).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tape } from '../../network/forward.js';
import { lastLayer } from '../../network/lastLayer.js';
import type { Block, Network } from '../../network/network.js';
import { inputsAt } from '../../network/positions.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import type { Want } from '../device/structure/structure.js';

/** The posterior's only layer, if it is the last layer of the network; undefined for any other posterior. */
export function lastOf(network: Network, { layers }: DevicePosterior): DeviceLayer | undefined {
  const [layer, ...others] = layers;
  if (layer === undefined || layer.coupled || others.length > 0) return undefined;
  return lastLayer(network) === layer.blocks[0] ? layer : undefined;
}

/** The variances [B, C] or covariances [B, C, C] of f. Allocates inside the caller's `tf.tidy`. */
export function ofLast({ blocks, lend }: DeviceLayer, tape: Tape, want: Want): tf.Tensor {
  const a = tf.reshape(inputsAt(blocks[0] as Block, tape), [tape.size, -1]) as tf.Tensor2D;
  return lend((form) => form.outputs(a, want));
}
