/**
 * The outputs' distribution where nothing is covered but the dense layer that ends the network (`network/lastLayer.ts`): one forward pass
 * and none back. The layer's structure makes the variances or covariances of its inputs (`device/structure`).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tape } from '../../network/forward.js';
import { lastLayer } from '../../network/lastLayer.js';
import type { Block, Network } from '../../network/network.js';
import { inputsAt } from '../../network/positions.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import type { Want } from '../device/structure/structure.js';

/** The posterior's one layer, where it is the last layer of the network; undefined for any other posterior. */
export function lastOf(network: Network, { layers }: DevicePosterior): DeviceLayer | undefined {
  const [layer, ...others] = layers;
  if (layer === undefined || layer.coupled || others.length > 0) return undefined;
  return lastLayer(network) === layer.blocks[0] ? layer : undefined;
}

/** Variances [B, C] or covariances [B, C, C] of f. Allocates inside the caller's `tf.tidy`. */
export function ofLast({ blocks, lend }: DeviceLayer, tape: Tape, want: Want): tf.Tensor {
  const a = tf.reshape(inputsAt(blocks[0] as Block, tape), [tape.size, -1]) as tf.Tensor2D;
  return lend((form) => form.outputs(a, want));
}
