/** The network: 784-hidden-hidden-10, ReLU, softmax. The recipe has 1200 hidden units. */
import { train } from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { CLASSES, PIXELS } from './digits.js';
import { SEEDS } from './plan.js';

/**
 * Makes a compiled network with seeded weights.
 *
 * @param hidden units of each of the two hidden layers
 * @param options seed of the weights; rate of dropout behind each hidden layer, none by default
 */
export function createNetwork(
  hidden: number,
  { seed = SEEDS.weights, rate }: { readonly seed?: number; readonly rate?: number } = {},
): LayersModel {
  const dense = (name: string, units: number, activation: 'relu' | 'softmax', layer: number) => ({
    name,
    units,
    activation,
    kernelInitializer: initializers.glorotUniform({ seed: 10 * seed + layer }),
  });
  const dropout = () => (rate === undefined ? [] : [layers.dropout({ rate, seed: 10 * seed + 5 })]);
  const model = sequential({
    name: 'mnist',
    layers: [
      layers.dense({ ...dense('hidden1', hidden, 'relu', 0), inputShape: [PIXELS] }),
      ...dropout(),
      layers.dense(dense('hidden2', hidden, 'relu', 1)),
      ...dropout(),
      layers.dense(dense('classes', CLASSES, 'softmax', 2)),
    ],
  });
  model.compile({ optimizer: train.adam(), loss: 'categoricalCrossentropy' });
  return model;
}
