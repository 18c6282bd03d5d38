/**
 * The gradient of each row in a block's weights, Ĝ = Σ_t a_t g_tᵀ [n, m]. There is no loop over rows: one batched product makes
 * the gradients of a chunk of examples. The gradients of a chunk, and the factors of their product, stay below CHUNK numbers. With
 * one position Ĝ is an outer product, and most callers do without it.
 */
import * as tf from '@tensorflow/tfjs-core';
import { CHUNK } from '../limits.js';
import type { Block } from './blocks.js';
import { concat } from './concat.js';
import type { Tape } from './forward.js';
import { inputsAt } from './positions.js';
import type { Stack } from './stack.js';

/** Gradients Ĝ [P, X, n, K, m] of X examples with K rows each. If rows were gathered, X counts rows and K is 1. */
export type WeightGradients = tf.Tensor5D;

/**
 * Calls `take` with the gradients of one chunk of examples after another.
 *
 * @param a inputs [P, B, T, n]; may be rotated.
 * @param g gradients [P, R, T, m]; may be rotated.
 * @param take gets a chunk's gradients, the number of its first example (or gathered row) and the count of them.
 * @param numbers the most numbers in one chunk, except that a single example may have more.
 * @returns the results of `take`, one for each chunk.
 */
export function mapWeightGradients<R extends tf.TensorContainer>(
  a: tf.Tensor4D,
  g: tf.Tensor4D,
  stack: Stack,
  take: (gradients: WeightGradients, first: number, count: number) => R,
  numbers = CHUNK,
): R[] {
  const [P, , T, n] = a.shape;
  const m = g.shape[3];
  const K = stack._tag === 'uniform' ? stack.copies : 1;
  const X = stack._tag === 'uniform' ? stack.size : g.shape[1];
  const byCopy = tf.reshape(g, [P, K, X, T, m]);
  const step = Math.max(1, Math.floor(numbers / (P * Math.max(n * K * m, T * n, T * K * m))));
  const results: R[] = [];
  for (let first = 0; first < X; first += step) {
    const count = Math.min(step, X - first);
    results.push(
      tf.tidy(() => {
        const whole = count === X;
        const left = whole && stack._tag === 'uniform' ? a : inputsOf(a, stack, first, count);
        const right = whole ? byCopy : tf.slice(byCopy, [0, 0, first, 0, 0], [P, K, count, T, m]);
        // Copies next to outputs: [P, count, T, K·m].
        const columns = tf.reshape(K === 1 ? right : tf.transpose(right, [0, 2, 3, 1, 4]), [P * count, T, K * m]);
        const inputs = tf.transpose(tf.reshape(left, [P * count, T, n]), [0, 2, 1]);
        const product = tf.matMul(inputs as tf.Tensor3D, columns as tf.Tensor3D);
        return take(tf.reshape(product, [P, count, n, K, m]), first, count);
      }),
    );
  }
  return results;
}

/** Inputs [P, count, T, n] of `count` examples, or of the examples that `count` gathered rows belong to. */
const inputsOf = (a: tf.Tensor4D, stack: Stack, first: number, count: number): tf.Tensor4D =>
  stack._tag === 'uniform'
    ? tf.slice(a, [0, first, 0, 0], [-1, count, -1, -1])
    : tf.gather(a, tf.slice(stack.examples, first, count), 1);

/**
 * t V over the last axis of t [P, R, T, d]: V is [d, d], or [P, d, d] with one for each group. Without V the result is t itself.
 */
export function rotate(t: tf.Tensor4D, V: tf.Tensor | undefined): tf.Tensor4D {
  if (V === undefined) return t;
  const [P, R, T, d] = t.shape;
  const product =
    V.rank === 2
      ? tf.matMul(tf.reshape(t, [P * R * T, d]) as tf.Tensor2D, V as tf.Tensor2D)
      : tf.matMul(tf.reshape(t, [P, R * T, d]) as tf.Tensor3D, V as tf.Tensor3D);
  return tf.reshape(product, [P, R, T, d]);
}

/**
 * Which steps of an example hold the same token, from tokens [1, B, T, 1]: entries [B, T, T] that are 1 for equal tokens,
 * otherwise 0. Undefined if T is 1.
 */
export function sameTokens(tokens: tf.Tensor4D): tf.Tensor3D | undefined {
  const [, B, T] = tokens.shape;
  if (T === 1) return undefined;
  const row = tf.reshape(tokens, [B, 1, T]);
  return tf.cast(tf.equal(tf.reshape(tokens, [B, T, 1]), row), 'float32') as tf.Tensor3D;
}

/**
 * Replaces an embedding's gradient at each step by the sum over all steps with the same token: [1, R, T, m] to the same shape.
 */
export function summedByToken(same: tf.Tensor3D | undefined, g: tf.Tensor4D, stack: Stack): tf.Tensor4D {
  if (same === undefined) return g;
  const [, R, T, m] = g.shape;
  const rows = tf.reshape(g, [R, T, m]) as tf.Tensor3D;
  if (stack._tag === 'gathered') return tf.reshape(tf.matMul(tf.gather(same, stack.examples), rows), [1, R, T, m]);
  const K = stack.copies;
  const side = tf.reshape(tf.transpose(tf.reshape(rows, [K, R / K, T, m]), [1, 2, 0, 3]), [R / K, T, K * m]) as tf.Tensor3D;
  const summed = tf.reshape(tf.matMul(same, side), [R / K, T, K, m]);
  return tf.reshape(tf.transpose(summed, [2, 0, 1, 3]), [1, R, T, m]);
}

/** Gradients Ĝ [P, R, n, m] of a block that has one use and whose map has `weightGradients`. Undefined for other blocks. */
export function ownGradients(block: Block, tape: Tape, uses: ReadonlyArray<tf.Tensor>, stack: Stack): tf.Tensor4D | undefined {
  const [op, ...others] = block.ops;
  if (op === undefined || others.length > 0) return undefined;
  return op.map.weightGradients?.(tape.values.get(op.input) as tf.Tensor, uses[0] as tf.Tensor, stack);
}

/**
 * The gradients in all weights of some blocks, laid end to end: [R, W]. `gradients` holds g [P, R, T, m] for each block. The rows
 * of one example come next to each other.
 */
export function endToEnd(
  blocks: ReadonlyArray<Block>,
  tape: Tape,
  gradients: ReadonlyMap<Block, tf.Tensor4D>,
  stack: Stack,
  numbers?: number,
): tf.Tensor2D {
  const columns = blocks.map((block) => {
    const a = numbersOf(block, inputsAt(block, tape));
    const g = gradients.get(block) as tf.Tensor4D;
    const parts = mapWeightGradients(a, g, stack, (G) => tf.transpose(G, [1, 3, 0, 2, 4]), numbers);
    return tf.reshape(concat(parts, 0), [-1, block.groups * block.n * block.m]);
  });
  return tf.concat(columns, 1) as tf.Tensor2D;
}

/** Inputs as rows of numbers: tokens become one-hot rows. */
function numbersOf({ map, n }: Block, a: tf.Tensor4D): tf.Tensor4D {
  if (map.inputs !== 'tokens') return a;
  const [, B, T] = a.shape;
  return tf.reshape(tf.oneHot(tf.cast(tf.reshape(a, [-1]), 'int32'), n), [1, B, T, n]);
}
