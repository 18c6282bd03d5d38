/** The two sides of labelled batches: inputs for predictions, and labels that judge them. */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import { fromDevice } from '../network/device.js';
import type { Network } from '../network/network.js';
import type { Truth } from '../tuning/losses.js';
import { checkLabels, labelFlags } from './health.js';
import type { InputSource } from './inputSource.js';
import { type BatchSource, observedBatch } from './observed.js';
import { joinedTruths, truthsOf, truthTensors } from './truths.js';

/** The inputs of labelled batches, each made when its turn comes. They are tensors of their own, since a batch may free its. */
export const inputsOfBatches = (network: Network, sources: ReadonlyArray<BatchSource>): ReadonlyArray<InputSource> =>
  sources.map(
    (source, index) => () => observedBatch(network, source, index).use(({ x }) => x.map((own) => tf.reshape(own, own.shape))),
  );

/**
 * The labels of every output of all batches.
 *
 * Rejects with `InvalidInput`, `InvalidLabels` and `NotFinite`, and with `Empty` if there is no batch.
 *
 * @param what the data in words, for errors
 */
export async function readLabels(
  network: Network,
  sources: ReadonlyArray<BatchSource>,
  what: string,
): Promise<ReadonlyArray<Truth>> {
  const parts: Array<ReadonlyArray<Truth>> = [];
  for (const [index, source] of sources.entries()) {
    const { truths, flags } = observedBatch(network, source, index).use(({ y }) => ({
      truths: truthTensors(network, y),
      flags: tf.stack([...labelFlags(network, y)]),
    }));
    try {
      checkLabels(network, await fromDevice(flags.data()), `${what} batch ${index}`);
      parts.push(await truthsOf(network, truths));
    } finally {
      tf.dispose([truths, flags] as tf.TensorContainer);
    }
  }
  if (parts.length === 0)
    throw laplaceError('Empty', { what: `There are no ${what} examples`, found: 'no batch', expected: 'at least one' });
  return joinedTruths(parts);
}
