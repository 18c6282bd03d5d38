/** Tells whether a training step has left the weights finite. After one that has not, no later batch is worth observing. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { fromDevice, laplaceError } from 'tfjs-laplace/extend';

/**
 * Rejects with `NotFinite` if a weight of the model is NaN or infinite. Cost: a pass over all weights, on the device.
 *
 * @param where the batch that was trained on last, in words
 */
export async function checkFiniteWeights({ layers, name }: LayersModel, where: string): Promise<void> {
  const weights = layers.flatMap((layer) => layer.weights.map((weight) => ({ layer: layer.name, value: weight.read() })));
  const flags = tf.tidy(() => tf.stack(weights.map(({ value }) => tf.all(tf.isFinite(value)).toFloat())));
  const finite = await fromDevice(flags.data()).finally(() => flags.dispose());
  const broken = weights.find((_, i) => !finite[i]);
  if (broken === undefined) return;
  throw laplaceError('NotFinite', {
    what: `The weights of layer '${broken.layer}' of model '${name}' are not finite after ${where}`,
    layer: broken.layer,
    field: 'weights',
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy: 'The training step has spoilt them: clean the data, lower the learning rate, or clip gradients, and train again.',
  });
}
