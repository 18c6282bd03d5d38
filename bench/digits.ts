/** Small digits and a small network for them: MNIST averaged to 8 × 8 pixels. */

import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { testSet } from '../recipes/mnist/data.js';
import { CLASSES, type Digits, SIDE, slice, tensors } from '../recipes/mnist/digits.js';

/** Digits [N, 64] in [0, 1], and their classes, one-hot [N, 10]. */
export interface SmallDigits {
  readonly x: tf.Tensor2D;
  readonly y: tf.Tensor2D;
}

/** MNIST's test digits from `start` up to but without `end`: a margin of 2 makes 32 × 32, and each mean of 4 × 4 pixels is one. */
export function smallDigits(start: number, end: number, digits: Digits = testSet()): SmallDigits {
  const own = slice(digits, start, end);
  const { x, y } = tensors(
    own,
    Array.from({ length: own.count }, (_, i) => i),
  );
  const small = tf.tidy(() => {
    const margin: [number, number] = [2, 2];
    const images = tf.pad4d(tf.reshape(x, [own.count, SIDE, SIDE, 1]) as tf.Tensor4D, [[0, 0], margin, margin, [0, 0]]);
    return tf.reshape(tf.avgPool(images, 4, 4, 'valid'), [own.count, 64]) as tf.Tensor2D;
  });
  x.dispose();
  return { x: small, y };
}

/** A trained network 64-64-64-10. The order of the digits and the seeds are fixed. */
export async function trainedOn({ x, y }: SmallDigits, epochs: number): Promise<LayersModel> {
  const dense = (units: number, seed: number) => ({ units, kernelInitializer: initializers.glorotUniform({ seed }) });
  const model = sequential({
    layers: [
      layers.dense({ ...dense(64, 1), activation: 'relu', inputShape: [64] }),
      layers.dense({ ...dense(64, 2), activation: 'relu' }),
      layers.dense({ ...dense(CLASSES, 3), activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.003), loss: 'categoricalCrossentropy' });
  await model.fit(x, y, { epochs, batchSize: 32, shuffle: false, verbose: 0 });
  return model;
}
