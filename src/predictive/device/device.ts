/**
 * A posterior on the device: each layer lends its tensors for the length of a call. Where the device can hold all layers they are uploaded
 * once for a stream of batches, and disposed by the operator that made them; otherwise each layer is uploaded whenever it is lent, and
 * its tensors live no longer than the call.
 */
import * as tf from '@tensorflow/tfjs-core';
import { structureNamed } from '../../curvature/structure/index.js';
import type { Block, Network } from '../../network/network.js';
import type { Posterior, PosteriorLayer } from '../../posterior/posterior.js';
import { precisions } from '../../posterior/variances.js';
import { deviceStructure } from './structure/index.js';
import type { DeviceForm, Hold } from './structure/structure.js';

/** One layer of a posterior, whose tensors are on the device while they are lent. */
export interface DeviceLayer {
  /** The network's blocks whose weights it is: one, or for `full` all that are covered. */
  readonly blocks: ReadonlyArray<Block>;
  /** Whether the weights of all blocks have one covariance (`full`), in one column. */
  readonly coupled: boolean;
  /** Whether its weights are independent along directions. */
  readonly directional: boolean;
  /** The number of its weights. */
  readonly size: number;
  /**
   * Hands the layer's tensors to `use` and gives back what it returns: tensors, which live as long as the caller's `tf.tidy`. What `use` is
   * handed must not be kept.
   */
  readonly lend: <R extends tf.TensorContainer>(use: (form: DeviceForm) => R) => R;
}

/** A posterior on the device. */
export interface DevicePosterior {
  readonly layers: ReadonlyArray<DeviceLayer>;
  readonly dispose: () => void;
}

/** Uploads a posterior at temperature T, and keeps it until it is disposed; the network's blocks are the posterior's layers. */
export function residentPosterior(network: Network, posterior: Posterior, temperature: number): DevicePosterior {
  const forms: DeviceForm[] = [];
  const layers = posterior.layers.map((layer): DeviceLayer => {
    const form = held(posterior, layer, temperature, tf.keep);
    forms.push(form);
    return { ...placeOf(network, posterior, layer), lend: (use) => use(form) };
  });
  return {
    layers,
    dispose: () => {
      for (const form of forms) form.dispose();
    },
  };
}

/** The same for a device that cannot hold all of it: each layer is uploaded whenever it is lent. */
export const posteriorOnDemand = (network: Network, posterior: Posterior, temperature: number): DevicePosterior => ({
  layers: posterior.layers.map((layer) => ({
    ...placeOf(network, posterior, layer),
    lend: (use) => tf.tidy(() => use(held(posterior, layer, temperature, (t) => t))),
  })),
  dispose: () => {},
});

/** Numbers of the device copies of one layer, while they are made. */
export const deviceNumbers = (layer: PosteriorLayer): number => deviceStructure(layer.structure).numbers(layer);

const held = (posterior: Posterior, layer: PosteriorLayer, temperature: number, hold: Hold): DeviceForm =>
  deviceStructure(layer.structure).upload(posterior, layer, temperature, hold);

/** A layer's place in the network. */
const placeOf = (network: Network, posterior: Posterior, layer: PosteriorLayer): Omit<DeviceLayer, 'lend'> => ({
  blocks: network.blocks.filter((block) => layer.members.includes(block.name)),
  coupled: structureNamed(layer.structure).scope === 'network',
  directional: precisions(posterior, layer) !== undefined,
  size: layer.mean.data.length,
});
