/**
 * Embeddings: a is the one-hot row of a token and W [vocabulary, m] is the table. So the input factor is a diagonal that holds
 * the counts of the tokens. `unfold` gives the tokens themselves, [1, R, T, 1]: nothing of the size of the vocabulary is made.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { Layer, LinearMap, ValueShape } from './map.js';
import { byPosition } from './matrix.js';

/** The map of an Embedding layer for inputs of this shape. */
export function embeddingMap(layer: Layer, inputShape: ValueShape): LinearMap {
  const [vocabulary, m] = (layer.weights[0] as LayerVariable).shape as [number, number];
  return {
    groups: 1,
    n: vocabulary,
    m,
    bias: false,
    inputs: 'tokens',
    variables: layer.weights,
    positions: inputShape.some((d) => d === null) ? undefined : inputShape.reduce<number>((T, d) => T * (d as number), 1),
    apply: (x, [table]) => {
      const rows = tf.gather(table as tf.Tensor2D, tf.cast(tf.reshape(x, [-1]), 'int32'));
      return tf.reshape(rows, [...x.shape, m]);
    },
    unfold: (x) => byPosition(tf.cast(x, 'int32'), 1),
    atPositions: (z) => byPosition(z, m),
    // Tokens are integers, which have no gradient.
    pullback: (g, x) => tf.zeros([g.shape[0] as number, ...x.shape.slice(1)]),
    toMatrix: ([table]) => tf.clone(table as tf.Tensor2D),
    fromMatrix: (W) => [tf.clone(W)],
  };
}
