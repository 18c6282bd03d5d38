/** Tensors in the other forms in which a user may hold the same numbers. */
import * as tf from '@tensorflow/tfjs';
import { dense, on, withWeights } from './math/networks.js';

/** Nested arrays. */
export const nested = (t: tf.Tensor): tf.TensorLike => t.arraySync() as tf.TensorLike;

/** The numbers one after another. */
export const flat = (t: tf.Tensor): Float32Array => t.dataSync() as Float32Array;

/** A model of three words and two numbers, by the names `words` and `size`; its output is `sizes`. */
export function wordsAndSize(): tf.LayersModel {
  const [words, size] = [tf.input({ shape: [3], name: 'words' }), tf.input({ shape: [2], name: 'size' })];
  const embedded = on(tf.layers.flatten(), on(tf.layers.embedding({ inputDim: 5, outputDim: 2 }), words));
  const outputs = on(dense(2, { name: 'sizes' }), on(tf.layers.concatenate(), embedded, size));
  return withWeights(tf.model({ inputs: [words, size], outputs }), 3);
}

/** N = 6 examples of `words` [N, 3]. */
export const someWords = (): tf.Tensor => tf.tensor2d([0, 1, 2, 3, 4, 0, 1, 1, 2, 3, 4, 4, 0, 0, 0, 2, 3, 1], [6, 3]);
