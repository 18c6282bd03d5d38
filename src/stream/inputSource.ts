/** Turns what is given as inputs, or as inputs and labels, into tensors that the caller disposes. */
import * as tf from '@tensorflow/tfjs-core';
import { type Inputs, inputTensors, type Labels } from '../network/inputs.js';
import { labelTensors } from '../network/labels.js';
import type { Network } from '../network/network.js';
import { reference } from '../network/reference.js';
import { orThrow } from '../orThrow.js';

/** A batch of inputs, or a function that makes one when its turn comes. The tensors that a function makes are freed after use. */
export type InputSource = Inputs | (() => Inputs);

/**
 * The inputs as new references, which the caller disposes. Tensors that a function makes live until then. Tensors that were given
 * stay their owner's. Throws `InvalidInput`.
 */
export const ownInputs = (network: Network, source: InputSource): tf.Tensor[] =>
  owned(() => orThrow(inputTensors(network, typeof source === 'function' ? source() : source)));

/** Inputs and labels as new references, each in the model's order, which the caller disposes. Throws `InvalidInput` or `InvalidLabels`. */
export function ownBatch(network: Network, x: Inputs, y: Labels): { readonly x: tf.Tensor[]; readonly y: tf.Tensor[] } {
  const all = owned(() => {
    const inputs = orThrow(inputTensors(network, x));
    return [...inputs, ...orThrow(labelTensors(network, y, inputs[0]?.shape[0] as number))];
  });
  return { x: all.slice(0, network.inputs.length), y: all.slice(network.inputs.length) };
}

function owned(make: () => ReadonlyArray<tf.Tensor>): tf.Tensor[] {
  const made: tf.Tensor[] = [];
  try {
    tf.tidy(() => {
      for (const t of make()) made.push(reference(t));
    });
  } catch (error) {
    tf.dispose(made);
    throw error;
  }
  return made;
}
