/** Turns what is given as inputs, or as inputs and labels, into tensors that the caller disposes. */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { type Inputs, inputTensors, type Labels } from '../network/inputs.js';
import { labelTensors } from '../network/labels.js';
import type { Network } from '../network/network.js';
import { reference } from '../network/reference.js';

/** A batch of inputs, or a function that makes one when its turn comes. The tensors that a function makes are freed after use. */
export type InputSource = Inputs | (() => Inputs);

/**
 * The inputs as new references, in the model's order, which the caller disposes. Tensors that a function makes live until then.
 * Tensors that were given still belong to their owner. What the function throws is thrown again.
 *
 * @returns the tensors, or `InvalidInput`.
 */
export const ownInputs = (network: Pick<Network, 'model'>, source: InputSource): E.Either<LaplaceError, tf.Tensor[]> =>
  owned(() => inputTensors(network, typeof source === 'function' ? source() : source));

/**
 * Inputs and labels as new references, each in the model's order, which the caller disposes.
 *
 * @returns the tensors; `InvalidInput` or `InvalidLabels`.
 */
export const ownBatch = (
  network: Network,
  x: Inputs,
  y: Labels,
): E.Either<LaplaceError, { readonly x: tf.Tensor[]; readonly y: tf.Tensor[] }> =>
  F.pipe(
    owned(() =>
      F.pipe(
        inputTensors(network, x),
        E.chain((inputs) =>
          F.pipe(
            labelTensors(network, y, inputs[0]?.shape[0] as number),
            E.map((labels) => [...inputs, ...labels]),
          ),
        ),
      ),
    ),
    E.map((all) => ({ x: all.slice(0, network.inputs.length), y: all.slice(network.inputs.length) })),
  );

function owned(make: () => E.Either<LaplaceError, ReadonlyArray<tf.Tensor>>): E.Either<LaplaceError, tf.Tensor[]> {
  const own: tf.Tensor[] = [];
  try {
    return freed(() =>
      F.pipe(
        make(),
        E.map((tensors) => {
          for (const t of tensors) own.push(reference(t));
          return own;
        }),
      ),
    );
  } catch (error) {
    tf.dispose(own);
    throw error;
  }
}

/** What a function returns. The tensors that it makes and does not keep are freed. */
function freed<A>(make: () => A): A {
  const box: { value?: A } = {};
  tf.tidy(() => {
    box.value = make();
  });
  return box.value as A;
}
