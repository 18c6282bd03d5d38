/**
 * A posterior on the device. Each layer lends its tensors for the duration of a call. If the device can hold all layers, they are
 * uploaded once for a stream of batches, and the operator that uploaded them disposes them. Otherwise a layer is uploaded each
 * time it is lent, and its tensors live only as long as the call.
 */
import * as tf from '@tensorflow/tfjs-core';
import { isNetworkWide } from '../../curvature/structure/index.js';
import type { Block, Network } from '../../network/network.js';
import type { Posterior, PosteriorLayer } from '../../posterior/posterior.js';
import { precisions } from '../../posterior/variances.js';
import { deviceStructure } from './structure/index.js';
import type { DeviceForm, Hold } from './structure/structure.js';

/** One layer of a posterior. Its tensors are on the device while they are lent. */
export interface DeviceLayer {
  /** The network's blocks whose weights the layer holds: one block, or for `full` all covered blocks. */
  readonly blocks: ReadonlyArray<Block>;
  /** Whether the weights of all blocks share one covariance (`full`) and lie in one column. */
  readonly coupled: boolean;
  /** Whether the weights are independent along directions. */
  readonly directional: boolean;
  /** The number of weights. */
  readonly size: number;
  /**
   * Calls `use` with the layer's tensors and returns the result of `use`. The returned tensors live as long as the caller's
   * `tf.tidy`. `use` must not keep the tensors that it is given.
   */
  readonly lend: <R extends tf.TensorContainer>(use: (form: DeviceForm) => R) => R;
}

/** A posterior on the device. */
export interface DevicePosterior {
  readonly layers: ReadonlyArray<DeviceLayer>;
  readonly dispose: () => void;
}

/**
 * Uploads a posterior at temperature T and keeps it until it is disposed. The network must have a block for each member of each
 * layer.
 */
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

/** A posterior for a device that cannot hold all of it: each layer is uploaded each time it is lent. */
export const posteriorOnDemand = (network: Network, posterior: Posterior, temperature: number): DevicePosterior => ({
  layers: posterior.layers.map((layer) => ({
    ...placeOf(network, posterior, layer),
    lend: (use) => tf.tidy(() => use(held(posterior, layer, temperature, (t) => t))),
  })),
  dispose: () => {},
});

type NonEmpty<T> = readonly [T, ...T[]];

/** The forms of every layer: one, or one for each of several posteriors of one model and one curvature. */
export interface Forms {
  /** K, how many forms a layer has. */
  readonly count: number;
  /** As `lend` of a layer, for all forms of a layer of the device's posterior together. */
  readonly lend: <R extends tf.TensorContainer>(layer: DeviceLayer, use: (forms: NonEmpty<DeviceForm>) => R) => R;
}

/** The forms of the device's posterior itself. */
export const ownForms: Forms = { count: 1, lend: (layer, use) => layer.lend((form) => use([form])) };

/**
 * The forms under several posteriors, which differ from the device's in their priors or dampings. They share its directions. Their
 * variances live as long as a layer is lent.
 */
export const formsUnder = ({ layers }: DevicePosterior, posteriors: NonEmpty<Posterior>, temperature: number): Forms => ({
  count: posteriors.length,
  lend: (layer, use) => {
    const at = layers.indexOf(layer);
    const formOf = (posterior: Posterior, shared: DeviceForm): DeviceForm => {
      const own = posterior.layers[at] as PosteriorLayer;
      return deviceStructure(own.structure).under(posterior, own, temperature, shared);
    };
    return layer.lend((shared) =>
      tf.tidy(() => use(posteriors.map((posterior) => formOf(posterior, shared)) as [DeviceForm, ...DeviceForm[]])),
    );
  },
});

const held = (posterior: Posterior, layer: PosteriorLayer, temperature: number, hold: Hold): DeviceForm =>
  deviceStructure(layer.structure).upload(posterior, layer, temperature, hold);

/** The fields of a device layer that need no tensors. */
const placeOf = (network: Network, posterior: Posterior, layer: PosteriorLayer): Omit<DeviceLayer, 'lend'> => ({
  blocks: network.blocks.filter((block) => layer.members.includes(block.name)),
  coupled: isNetworkWide(layer),
  directional: precisions(posterior, layer) !== undefined,
  size: layer.mean.data.length,
});
