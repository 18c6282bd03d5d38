/**
 * Gradients of every row in a block's weights, Ĝ = Σ_t a_t g_tᵀ [n, m], without a loop over rows: one batched product for a chunk of
 * examples. A chunk of gradients, and what it is made of, stay below CHUNK numbers. For one position Ĝ is an outer product, and most
 * callers do without making it.
 */
import * as tf from '@tensorflow/tfjs-core';
import { CHUNK } from '../limits.js';
import type { Block } from './blocks.js';
import type { Tape } from './forward.js';
import type { Stack } from './stack.js';

/** Gradients Ĝ [P, X, n, K, m] of X examples with K rows each (of X rows with one each, where rows were gathered). */
export type WeightGradients = tf.Tensor5D;

/**
 * Calls `take` with the gradients of one chunk of examples after another and gives back what it returned.
 *
 * @param a inputs [P, B, T, n], @param g gradients [P, R, T, m]; both may be rotated
 * @param numbers the most numbers in one chunk; a single example may have more
 */
export function mapWeightGradients(
  a: tf.Tensor4D,
  g: tf.Tensor4D,
  stack: Stack,
  take: (gradients: WeightGradients, first: number, count: number) => tf.Tensor,
  numbers = CHUNK,
): tf.Tensor[] {
  const [P, , T, n] = a.shape;
  const m = g.shape[3];
  const K = stack._tag === 'uniform' ? stack.copies : 1;
  const X = stack._tag === 'uniform' ? stack.size : g.shape[1];
  const byCopy = tf.reshape(g, [P, K, X, T, m]);
  const step = Math.max(1, Math.floor(numbers / (P * Math.max(n * K * m, T * n, T * K * m))));
  const results: tf.Tensor[] = [];
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

/** Inputs [P, count, T, n] of some examples, or of the examples of some rows. */
const inputsOf = (a: tf.Tensor4D, stack: Stack, first: number, count: number): tf.Tensor4D =>
  stack._tag === 'uniform'
    ? tf.slice(a, [0, first, 0, 0], [-1, count, -1, -1])
    : tf.gather(a, tf.slice(stack.examples, first, count), 1);

/** t [P, R, T, d] V over the last axis, V [d, d] or one for each group [P, d, d]; t itself without V, the identity. */
export function rotate(t: tf.Tensor4D, V: tf.Tensor | undefined): tf.Tensor4D {
  if (V === undefined) return t;
  const [P, R, T, d] = t.shape;
  const product =
    V.rank === 2
      ? tf.matMul(tf.reshape(t, [P * R * T, d]) as tf.Tensor2D, V as tf.Tensor2D)
      : tf.matMul(tf.reshape(t, [P, R * T, d]) as tf.Tensor3D, V as tf.Tensor3D);
  return tf.reshape(product, [P, R, T, d]);
}

/** Which steps of token rows [1, B, T, 1] hold the same token, as ones and zeros [B, T, T]; undefined where T is 1. */
export function sameTokens(tokens: tf.Tensor4D): tf.Tensor3D | undefined {
  const [, B, T] = tokens.shape;
  if (T === 1) return undefined;
  const row = tf.reshape(tokens, [B, 1, T]);
  return tf.cast(tf.equal(tf.reshape(tokens, [B, T, 1]), row), 'float32') as tf.Tensor3D;
}

/** Σ over the steps of the same token, at each of them: gradients [1, R, T, m] of an embedding to the same shape. */
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

/** Gradients Ĝ [P, R, n, m] of a block whose map makes them by itself, at its one use; undefined for others. */
export function ownGradients(block: Block, tape: Tape, uses: ReadonlyArray<tf.Tensor>, stack: Stack): tf.Tensor4D | undefined {
  const [op, ...others] = block.ops;
  if (op === undefined || others.length > 0) return undefined;
  return op.map.weightGradients?.(tape.values.get(op.input) as tf.Tensor, uses[0] as tf.Tensor, stack);
}
