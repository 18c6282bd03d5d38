/** Trains a network and nothing else: no curvature is observed. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { permutation } from '../support/random.js';
import { type Digits, tensors } from './digits.js';

/**
 * Trains in place, with the digits in a new order every epoch.
 *
 * @param onEpoch called after each epoch with the number of epochs that are done, and awaited
 * @returns the mean training loss of the last epoch, in nats
 */
export async function trainOn(
  model: LayersModel,
  digits: Digits,
  { epochs, seed, batchSize = 128 }: { readonly epochs: number; readonly seed: number; readonly batchSize?: number },
  onEpoch: (done: number) => void | Promise<void> = () => {},
): Promise<number> {
  let loss = Number.NaN;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const { x, y } = tensors(digits, permutation(digits.count, 1000 * seed + epoch));
    const { history } = await model
      .fit(x, y, { epochs: 1, batchSize, shuffle: false, verbose: 0, yieldEvery: 'never' })
      .finally(() => tf.dispose([x, y]));
    loss = history.loss?.[0] as number;
    await onEpoch(epoch + 1);
  }
  return loss;
}
