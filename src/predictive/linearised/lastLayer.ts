/**
 * The distribution of the outputs if only the dense layer that ends the network is covered (`network/lastLayer.ts`). It takes one
 * forward pass and no backward pass. The layer's structure computes variances or covariances from the layer's inputs
 * (`device/structure`).
 */
import * as tf from '@tensorflow/tfjs-core';
import { stacked } from '../../network/concat.js';
import type { Tape } from '../../network/forward.js';
import { lastLayer } from '../../network/lastLayer.js';
import type { Block, Network } from '../../network/network.js';
import { inputsAt } from '../../network/positions.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import type { DeviceForm, Want } from '../device/structure/structure.js';
import type { Jacobian } from './jacobian.js';

/** The posterior's only layer, if it is the last layer of the network; undefined for any other posterior. */
export function lastOf(network: Network, { layers }: DevicePosterior): DeviceLayer | undefined {
  const [layer, ...others] = layers;
  if (layer === undefined || layer.coupled || others.length > 0) return undefined;
  return lastLayer(network) === layer.blocks[0] ? layer : undefined;
}

/** The Jacobian in the weights of the last layer: its pre-activations are the outputs. Allocates inside the caller's `tf.tidy`. */
export function jacobianOfLast({ blocks }: DeviceLayer, form: DeviceForm, tape: Tape, want: Want): Jacobian {
  const a = tf.reshape(inputsAt(blocks[0] as Block, tape), [tape.size, -1]) as tf.Tensor2D;
  const u = form.squaredInputs(a);
  return { tensors: [u], under: (forms) => tf.tidy(() => stacked(forms.map((own) => own.outputs(u, want)))) };
}
