/**
 * Sums of squared gradients, entry by entry: Σ Ĝ ⊙ Ĝ [P·n, m] over examples and columns. Ĝ = Σ_t a_t g_tᵀ is the gradient in W
 * for one example and one column. With a rotation, U_Aᵀ Ĝ U_G takes the place of Ĝ. Both `diagonal` and `eigen` use this file.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HessianOps } from '../../likelihood/hessian.js';
import { mapWeightGradients, rotate, sameTokens, summedByToken } from '../../network/gradients.js';
import { transposedTimes } from '../../network/matmul.js';
import { inputsAt } from '../../network/positions.js';
import { type Stack, toRows } from '../../network/stack.js';
import type { ClosedForm, LayerShape, Reached, Subject, SumCost, SumShape } from './structure.js';

export const squaresShape = ({ groups, n, m }: LayerShape): SumShape => ({ rows: groups * n, cols: m });

/**
 * Multiplications for one example in each group. With one position Ĝ itself is never made, and one product serves all columns.
 */
export const squaresOperations = ({ n, m }: LayerShape, { positions: T, rows: K }: SumCost): number =>
  T === 1 ? n * m : K * T * n * m;

/** The sum of squares over the rows of one stack, [P·n, m]. */
export function squares({ block, shape, rotation }: Subject, { inputs, gradients, stack }: Reached): tf.Tensor {
  const g = rotate(gradients(), rotation?.gradient);
  if (block.map.inputs === 'tokens') return tokenSquares(inputs(), g, stack, shape);
  return rowSquares(rotate(inputs(), rotation?.input), g, stack, shape);
}

function rowSquares(a: tf.Tensor4D, g: tf.Tensor4D, stack: Stack, { groups: P, n, m }: LayerShape): tf.Tensor {
  if (a.shape[2] === 1) {
    // With one position (a_i g_j)² = a_i² g_j². So the sum is one matrix product, and Ĝ is never made.
    const [left, right] = [tf.square(a), tf.square(g)];
    const perExample = stack._tag === 'uniform' ? tf.sum(tf.reshape(right, [P, stack.copies, stack.size, m]), 1) : right;
    const inputs = stack._tag === 'uniform' ? left : tf.gather(left, stack.examples, 1);
    const rows = inputs.shape[1] as number;
    const product = tf.matMul(
      tf.reshape(inputs, [P, rows, n]) as tf.Tensor3D,
      tf.reshape(perExample, [P, rows, m]) as tf.Tensor3D,
      true,
    );
    return tf.reshape(product, [P * n, m]);
  }
  const parts = mapWeightGradients(a, g, stack, (gradients) => tf.sum(tf.square(gradients), [1, 3]));
  return tf.reshape(tf.addN(parts), [P * n, m]);
}

/** The sum of squares for an embedding, [n, m]. The gradient for a token is the sum of g over the steps that hold this token. */
function tokenSquares(tokens: tf.Tensor4D, g: tf.Tensor4D, stack: Stack, { n, m }: LayerShape): tf.Tensor {
  const summed = summedByToken(sameTokens(tokens), g, stack);
  // For each token v: (Σ_{t: x_t = v} g_t)² = Σ_{t: x_t = v} g_t ⊙ Σ_{t': x_t' = x_t} g_t'. So each step adds one row to its
  // token.
  const values = tf.reshape(tf.mul(g, summed), [-1, m]) as tf.Tensor2D;
  const [, , T] = tokens.shape;
  const rows = toRows(stack, tf.reshape(tokens, [tokens.shape[1], T]));
  return scattered(rows, values, n);
}

/** Sums `rows` [R, m] by token, [vocabulary, m]: row i belongs to token i. */
export const scattered = (tokens: tf.Tensor, rows: tf.Tensor2D, vocabulary: number): tf.Tensor =>
  tf.scatterND(tf.reshape(tokens, [-1, 1]), rows, [vocabulary, rows.shape[1]]);

/** The closed form of a last layer: Σ_b w_b (a_b U_A)² ⊗ (diagonal of U_Gᵀ Λ_b U_G), as one matrix product. */
export const closedSquares = (shape: LayerShape, hessian: HessianOps): ClosedForm => ({
  sums: { squares: squaresShape(shape) },
  observe: ({ tape, weights }, { layer, block, rotation }, sink) => {
    const u = tf.square(tf.reshape(rotate(inputsAt(block, tape), rotation?.input), [tape.size, shape.n]) as tf.Tensor2D);
    const along = hessian.along(tape.outputs, rotation?.gradient as tf.Tensor2D | undefined);
    const right = weights === undefined ? along : tf.mul(along, tf.reshape(weights, [-1, 1]));
    sink.add(layer, 'squares', transposedTimes(u, right as tf.Tensor2D));
  },
  completed: (sums) => sums,
});
