/**
 * A full factor for the outputs, and only a diagonal for the inputs: Σ g gᵀ [P·m, m] as for `kronecker`, and Σ a ⊙ a [P·n, 1],
 * which is the diagonal of the input factor of `kronecker`. It suits layers with too many inputs for a full input factor (bags of
 * words, embeddings of images): it keeps n + m² numbers for each group instead of n² + m². It equals `kronecker` if the inputs
 * are uncorrelated with mean 0. If each example has one input that is not 0 (one-hot rows), the diagonal is the exact input
 * factor, as for `embedding`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { inputRows, positionsOf } from './inputs.js';
import { addOutputFactor, closedFactor, outputOperations } from './kronecker.js';
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
  addGradients: addOutputFactor,
  closedForm: closedFactor(inputSum),
  operations: (shape, cost) => (cost.reduce ? 1 : cost.positions) * shape.n + outputOperations(shape, cost),
  cubes: ({ m }) => m ** 3,
  factorRows: ({ m }) => m,
  words: () => 'the diagonal of one factor, and one factor',
} as const satisfies SummedStructure<Readonly<Record<'input' | 'gradient', SumShape>>>;
