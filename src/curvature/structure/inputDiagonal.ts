/**
 * A factor on the side of the outputs alone: Σ a ⊙ a [P·n, 1], the diagonal of the input factor of `kronecker`, and Σ g gᵀ [P·m, m]. For
 * layers with too many inputs for a factor (bags of words, embeddings of images): n + m² numbers in place of n² + m². Where inputs are
 * uncorrelated with mean 0 it is `kronecker`; where only one input of an example is not 0 (one-hot rows) it is exact as `embedding` is.
 */
import * as tf from '@tensorflow/tfjs-core';
import { gradientRows, inputRows, positionsOf } from './inputs.js';
import { closedFactor, outputOperations } from './kronecker.js';
import { gram, type LayerShape, type SummedStructure, type SumShape } from './structure.js';

const inputSum = (shape: LayerShape): SumShape => {
  const divisor = positionsOf(shape);
  return { rows: shape.groups * shape.n, cols: 1, ...(divisor === 1 ? {} : { divisor }) };
};

export const inputDiagonal = {
  scope: 'block',
  sums: (shape) => ({ input: inputSum(shape), gradient: gram(shape.m, shape.groups) }),
  addInputs: (subject, a, weights, sink) => {
    const rows = inputRows(subject, a, weights);
    const squares = tf.sum(tf.square(rows), rows.rank - 2);
    sink.add(subject.layer, 'input', tf.reshape(squares, [subject.shape.groups * subject.shape.n, 1]));
  },
  addGradients: ({ layer, weightSharing }, { gradients }, sink) =>
    sink.gram(layer, 'gradient', gradientRows(gradients(), weightSharing === 'expand')),
  closedForm: closedFactor(inputSum),
  operations: (shape, cost) => (cost.reduce ? 1 : cost.positions) * shape.n + outputOperations(shape, cost),
  cubes: ({ m }) => m ** 3,
  factorRows: ({ m }) => m,
  words: () => 'the diagonal of one factor, and one factor',
} as const satisfies SummedStructure<Readonly<Record<'input' | 'gradient', SumShape>>>;
