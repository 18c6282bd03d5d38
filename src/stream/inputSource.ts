/** Inputs on their way into an operator, and how long their tensors live. */
import * as tf from '@tensorflow/tfjs-core';
import { type Inputs, inputTensors } from '../network/inputs.js';
import type { Network } from '../network/network.js';
import { reference } from '../network/reference.js';
import { orThrow } from './observed.js';

/** A batch of inputs, or a function that makes one when its turn comes (its tensors are freed after use). */
export type InputSource = Inputs | (() => Inputs);

/**
 * References of our own, for the caller to dispose: what a function makes outlives its tidy until then, and what was given stays its
 * owner's. Throws `InvalidInput`.
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
