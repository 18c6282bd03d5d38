/** The network: 784-1200-1200-10, ReLU, softmax. */
import { train } from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { CLASSES, PIXELS } from './digits.js';
import { SEEDS } from './plan.js';

/**
 * Makes a compiled network with seeded weights.
 *
 * @param hidden units of each of the two hidden layers
 */
export function createNetwork(hidden: number): LayersModel {
  const dense = (name: string, units: number, activation: 'relu' | 'softmax', layer: number) => ({
    name,
    units,
    activation,
    kernelInitializer: initializers.glorotUniform({ seed: 10 * SEEDS.weights + layer }),
  });
  const model = sequential({
    name: 'mnist',
    layers: [
      layers.dense({ ...dense('hidden1', hidden, 'relu', 0), inputShape: [PIXELS] }),
      layers.dense(dense('hidden2', hidden, 'relu', 1)),
      layers.dense(dense('classes', CLASSES, 'softmax', 2)),
    ],
  });
  model.compile({ optimizer: train.adam(), loss: 'categoricalCrossentropy' });
  return model;
}
