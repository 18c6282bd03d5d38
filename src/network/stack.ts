/**
 * Several gradients of each example are stacked on top of each other. A stack tells which row belongs to which example of the
 * batch. Values that the forward pass kept are [B, …]; a stack brings them to the rows [R, …].
 *
 *   uniform   K gradients of every example: row k·B + b belongs to example b. Values are broadcast where possible, not copied.
 *   gathered  any choice of rows, each with the number of its example. The `truncated` Fisher keeps few rows.
 */
import * as tf from '@tensorflow/tfjs-core';

/** Which example a row belongs to. */
export type Stack =
  | { readonly _tag: 'uniform'; readonly size: number; readonly copies: number }
  | { readonly _tag: 'gathered'; readonly size: number; readonly examples: tf.Tensor1D };

/** Gradients in f to send back: seeds [R, C]. */
export interface Seeds {
  readonly rows: tf.Tensor2D;
  readonly stack: Stack;
}

/** Seeds from K gradients of every example, [K, B, C]. */
export function uniformSeeds(columns: tf.Tensor3D): Seeds {
  const [K, B, C] = columns.shape;
  return { rows: tf.reshape(columns, [K * B, C]), stack: { _tag: 'uniform', size: B, copies: K } };
}

/** Brings a value [B, …] to the rows, [R, …]: each row gets the value of its example. */
export function toRows(stack: Stack, value: tf.Tensor): tf.Tensor {
  if (stack._tag === 'gathered') return tf.gather(value, stack.examples);
  const { copies } = stack;
  return copies === 1 ? value : tf.tile(value, [copies, ...new Array<number>(value.rank - 1).fill(1)]);
}

/** Multiplies rows [R, …] entry by entry with the value [B, …] of each row's example. */
export function timesValue(stack: Stack, rows: tf.Tensor, value: tf.Tensor): tf.Tensor {
  if (stack._tag === 'gathered') return tf.mul(rows, toRows(stack, value));
  if (stack.copies === 1) return tf.mul(rows, value);
  const stacked = tf.reshape(rows, [stack.copies, ...value.shape]);
  return tf.reshape(tf.mul(stacked, tf.expandDims(value, 0)), rows.shape);
}
