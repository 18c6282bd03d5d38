/**
 * Visits every layer of a posterior with the gradients of a batch's outputs in the layer's pre-activations. A layer's part of the
 * Jacobian is made of these gradients. A visitor uses them for covariances of the outputs, or for the effect of a change of the
 * weights. For all outputs it takes one backward pass of C·B stacked rows.
 */
import * as tf from '@tensorflow/tfjs-core';
import { backward } from '../../network/backward.js';
import type { Tape } from '../../network/forward.js';
import type { Block, Network } from '../../network/network.js';
import { gradientsAt } from '../../network/positions.js';
import { type Seeds, uniformSeeds } from '../../network/stack.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';

/**
 * Receives the gradients at the layers of the posterior, last layer first. The tensors of a call to `own` are freed when it
 * returns.
 */
export interface LayerVisitor {
  /** Called for a block that has its own covariance, with gradients [R, …] in its pre-activations, one tensor for each use. */
  readonly own: (layer: DeviceLayer, block: Block, uses: ReadonlyArray<tf.Tensor>) => void;
  /** Called for blocks that share one covariance (`full`) when all are reached, with g [P, R, T, m] for each block. */
  readonly coupled: (layer: DeviceLayer, gradients: ReadonlyMap<Block, tf.Tensor4D>) => void;
}

/**
 * The gradients of some of the C outputs in f, as seeds for B examples. Row k·B + b belongs to the k-th of these outputs and
 * example b.
 */
export function outputSeeds(outputs: ReadonlyArray<number>, C: number, B: number): Seeds {
  const own = new Float32Array(outputs.length * C);
  outputs.forEach((output, k) => {
    own[k * C + output] = 1;
  });
  return uniformSeeds(tf.tile(tf.tensor3d(own, [outputs.length, 1, C]), [1, B, 1]));
}

/** The gradients of all outputs in f, as seeds. */
export const everyOutput = ({ outputs: C }: Pick<Network, 'outputs'>, { size }: Pick<Tape, 'size'>): Seeds =>
  outputSeeds(
    Array.from({ length: C }, (_, c) => c),
    C,
    size,
  );

/** Sends seeds back through the network and visits every layer of the posterior. Allocates inside the caller's `tf.tidy`. */
export function visitLayers(network: Network, posterior: DevicePosterior, tape: Tape, seeds: Seeds, visitor: LayerVisitor): void {
  const own = new Map(
    posterior.layers.flatMap((layer) => (layer.coupled ? [] : layer.blocks.map((block) => [block, layer] as const))),
  );
  const coupled = new Map<Block, tf.Tensor4D>();
  backward(network, tape, seeds, (block, uses) => {
    const layer = own.get(block);
    if (layer === undefined) coupled.set(block, gradientsAt(block, uses));
    else visitor.own(layer, block, uses);
  });
  for (const layer of posterior.layers.filter((l) => l.coupled)) visitor.coupled(layer, coupled);
}
