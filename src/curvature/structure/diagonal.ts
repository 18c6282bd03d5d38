/**
 * Each weight on its own: the sum Σ Ĝ ⊙ Ĝ [P·n, m] over examples and columns. Ĝ = Σ_t a_t g_tᵀ is the gradient in W for one
 * example and one column.
 */
import * as tf from '@tensorflow/tfjs-core';
import { closedSquares, squares, squaresOperations, squaresShape } from './squares.js';
import type { SummedStructure, SumShape } from './structure.js';

export const diagonal = {
  scope: 'block',
  sums: (shape) => ({ squares: squaresShape(shape) }),
  addGradients: (subject, reached, sink) => {
    const own = reached.weightGradients();
    const { groups, n, m } = subject.shape;
    const sum = own === undefined ? squares(subject, reached) : tf.reshape(tf.sum(tf.square(own), 1), [groups * n, m]);
    sink.add(subject.layer, 'squares', sum);
  },
  closedForm: closedSquares,
  operations: squaresOperations,
  cubes: () => 0,
  factorRows: () => 0,
  words: () => 'each weight on its own',
} as const satisfies SummedStructure<{ readonly squares: SumShape }>;
