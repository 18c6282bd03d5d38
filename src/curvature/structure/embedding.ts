/**
 * Embeddings. The input a is the one-hot row of a token, so Σ a aᵀ is diagonal. The counts of tokens [n, 1] are this diagonal,
 * exactly. In an example of T tokens each token counts 1/T. The output factor Σ g gᵀ [m, m] is the same as for `kronecker`. No
 * array of n² numbers is made.
 */
import * as tf from '@tensorflow/tfjs-core';
import { gradientRows } from './inputs.js';
import { gramOperations } from './kronecker.js';
import { scattered } from './squares.js';
import { gram, type SummedStructure, type SumShape } from './structure.js';

export const embedding = {
  scope: 'block',
  sums: ({ n, m }) => ({ input: { rows: n, cols: 1 }, gradient: gram(m) }),
  addInputs: ({ layer, shape: { n } }, tokens, weights, sink) => {
    const [, B, T] = tokens.shape;
    const share = tf.div(weights ?? tf.ones([B]), T);
    const counts = tf.reshape(tf.tile(tf.reshape(share, [B, 1]), [1, T]), [B * T, 1]) as tf.Tensor2D;
    sink.add(layer, 'input', tf.reshape(scattered(tokens, counts, n), [n, 1]));
  },
  addGradients: ({ layer }, { gradients }, sink) => sink.gram(layer, 'gradient', gradientRows(gradients(), true)),
  operations: (shape, { positions, rows }) => rows * positions * gramOperations(shape, shape.m),
  cubes: ({ m }) => m ** 3,
  factorRows: ({ m }) => m,
  words: () => 'counts of tokens and one factor',
} as const satisfies SummedStructure<Readonly<Record<'input' | 'gradient', SumShape>>>;
