/** LeNet-5 (LeCun et al. 1998) in its modern form: ReLU, maximum pools, and batch normalisation before the activation. */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { CLASSES, PIXELS, SIDE } from '../mnist/digits.js';

/**
 * Makes a compiled network with seeded weights. Its input is [B, 784], one row of pixels for each image; its first layer reshapes
 * it.
 *
 * @param normalised whether the convolutions have batch normalisation
 * @param seed of the weights
 */
export function createLenet({
  normalised = true,
  seed: root = 0,
}: {
  readonly normalised?: boolean;
  readonly seed?: number;
} = {}): LayersModel {
  const kernel = (seed: number) => ({ kernelInitializer: initializers.heUniform({ seed: 10 * root + seed }) });
  const conv = (name: string, filters: number, padding: 'same' | 'valid', seed: number) => {
    const options = { name, filters, kernelSize: 5, padding, ...kernel(seed) };
    const convolution = normalised
      ? [
          // The convolution needs no bias, because the normalisation adds a shift.
          layers.conv2d({ ...options, useBias: false }),
          layers.batchNormalization({ name: `${name}_norm`, momentum: 0.9 }),
          layers.activation({ activation: 'relu' }),
        ]
      : [layers.conv2d({ ...options, activation: 'relu' })];
    return [...convolution, layers.maxPooling2d({ poolSize: 2 })];
  };
  const dense = (name: string, units: number, activation: 'relu' | 'softmax', seed: number) =>
    layers.dense({ name, units, activation, ...kernel(seed) });
  const model = sequential({
    name: 'lenet',
    layers: [
      layers.reshape({ inputShape: [PIXELS], targetShape: [SIDE, SIDE, 1] }),
      ...conv('conv1', 6, 'same', 1),
      ...conv('conv2', 16, 'valid', 2),
      layers.flatten(),
      dense('dense1', 120, 'relu', 3),
      dense('dense2', 84, 'relu', 4),
      dense('classes', CLASSES, 'softmax', 5),
    ],
  });
  model.compile({ optimizer: tf.train.adam(), loss: 'categoricalCrossentropy' });
  return model;
}
