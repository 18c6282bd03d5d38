/**
 * Gradients of a batch's outputs at every layer of a posterior: what its part of the Jacobian is made of, whatever is made of it
 * (covariances of the outputs, or what a change of the weights does to them). One backward pass of C·B stacked rows.
 */
import * as tf from '@tensorflow/tfjs-core';
import { backward } from '../../network/backward.js';
import type { Tape } from '../../network/forward.js';
import type { Block, Network } from '../../network/network.js';
import { gradientsAt } from '../../network/positions.js';
import { type Seeds, uniformSeeds } from '../../network/stack.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';

/** Receives what reaches one layer of the posterior, the last layer first; the tensors are gone when it returns. */
export interface LayerVisitor {
  /** A block with a covariance of its own: gradients [R, …] in its pre-activations, one tensor a use. */
  readonly own: (layer: DeviceLayer, block: Block, uses: ReadonlyArray<tf.Tensor>) => void;
  /** Several blocks with one covariance (`full`), when all are reached: g [P, R, T, m] of each. */
  readonly coupled: (layer: DeviceLayer, gradients: ReadonlyMap<Block, tf.Tensor4D>) => void;
}

/** The gradients of these of C outputs in all of them: row k·B + b belongs to output k of example b. */
export function outputSeeds(outputs: ReadonlyArray<number>, C: number, B: number): Seeds {
  const own = new Float32Array(outputs.length * C);
  outputs.forEach((output, k) => {
    own[k * C + output] = 1;
  });
  return uniformSeeds(tf.tile(tf.tensor3d(own, [outputs.length, 1, C]), [1, B, 1]));
}

/** The gradients of all outputs in themselves. */
export const everyOutput = ({ outputs: C }: Pick<Network, 'outputs'>, { size }: Pick<Tape, 'size'>): Seeds =>
  outputSeeds(
    Array.from({ length: C }, (_, c) => c),
    C,
    size,
  );

/** Sends seeds back through the network and visits every layer of the posterior once. Allocates inside the caller's `tf.tidy`. */
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
