/** Turns what an operator is given as inputs into tensors, and decides how long the tensors live. */
import * as tf from '@tensorflow/tfjs-core';
import { type Inputs, inputTensors } from '../network/inputs.js';
import type { Network } from '../network/network.js';
import { reference } from '../network/reference.js';
import { orThrow } from '../orThrow.js';

/** A batch of inputs, or a function that makes one when its turn comes. The tensors that a function makes are freed after use. */
export type InputSource = Inputs | (() => Inputs);

/**
 * The inputs as new references, which the caller disposes. Tensors that a function makes live until then. Tensors that were given
 * still belong to their owner. Throws `InvalidInput`.
 */
export function ownInputs(network: Network, source: InputSource): tf.Tensor[] {
  const made: tf.Tensor[] = [];
  try {
    tf.tidy(() => {
      const given = typeof source === 'function' ? source() : source;
      for (const t of orThrow(inputTensors(network, given))) made.push(reference(t));
    });
  } catch (error) {
    tf.dispose(made);
    throw error;
  }
  return made;
}
