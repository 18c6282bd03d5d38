/** The networks of the benchmark, and their training. */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { CLASSES, type Digits, PIXELS, tensors } from '../../recipes/mnist/digits.js';
import { permutation } from '../../recipes/support/random.js';

/** A compiled network 784-hidden-hidden-10 with weights from a seed, and dropout behind its hidden layers if a rate is given. */
export function perceptron(hidden: number, seed: number, rate?: number): LayersModel {
  const dense = (units: number, layer: number) => ({
    units,
    kernelInitializer: initializers.glorotUniform({ seed: 10 * seed + layer }),
  });
  const dropout = () => (rate === undefined ? [] : [layers.dropout({ rate, seed: 10 * seed + 5 })]);
  const model = sequential({
    layers: [
      layers.dense({ ...dense(hidden, 0), activation: 'relu', inputShape: [PIXELS] }),
      ...dropout(),
      layers.dense({ ...dense(hidden, 1), activation: 'relu' }),
      ...dropout(),
      layers.dense({ ...dense(CLASSES, 2), activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(), loss: 'categoricalCrossentropy' });
  return model;
}

/**
 * Trains in place, with the digits in a new order every epoch.
 *
 * @param onEpoch called after each epoch
 * @returns the mean training loss of the last epoch, in nats
 */
export async function trainOn(
  model: LayersModel,
  digits: Digits,
  { epochs, seed, batchSize = 128 }: { readonly epochs: number; readonly seed: number; readonly batchSize?: number },
  onEpoch: () => Promise<void> = async () => {},
): Promise<number> {
  let loss = Number.NaN;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const { x, y } = tensors(digits, permutation(digits.count, 1000 * seed + epoch));
    const { history } = await model
      .fit(x, y, { epochs: 1, batchSize, shuffle: false, verbose: 0, yieldEvery: 'never' })
      .finally(() => tf.dispose([x, y]));
    loss = history.loss?.[0] as number;
    await onEpoch();
  }
  return loss;
}
