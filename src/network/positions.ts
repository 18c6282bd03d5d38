/**
 * Inputs and gradients of a block, position by position. All uses of its layer are joined: a layer that is used twice is one
 * block with twice the positions. Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { concat } from './concat.js';
import type { Tape } from './forward.js';
import type { Block } from './network.js';

/** Inputs a [P, B, T, n] of a block, including the 1 for the bias. For an embedding they are the tokens [1, B, T, 1]. */
export const inputsAt = (block: Block, tape: Tape): tf.Tensor4D =>
  atAllUses(block.ops.map((op) => inputsOfUse(block, tape.values.get(op.input) as tf.Tensor)));

/** Gradients g [P, R, T, m] of a block, from the tensors that `backward` gives: one for each use. */
export const gradientsAt = (block: Block, gradients: ReadonlyArray<tf.Tensor>): tf.Tensor4D =>
  atAllUses(block.ops.map(({ map }, use) => map.atPositions(gradients[use] as tf.Tensor)));

/** Inputs a [P, B, T, n] of one use, from the layer's input x [B, …]. */
export function inputsOfUse({ map, bias }: Pick<Block, 'map' | 'bias'>, x: tf.Tensor): tf.Tensor4D {
  const a = map.unfold(x);
  if (!bias) return a;
  const [P, R, T] = a.shape;
  const ones = tf.ones([P, R, T, 1]) as tf.Tensor4D;
  return map.n === 1 ? ones : tf.concat([a, ones], 3);
}

/** Joins the rows of all uses of a layer, each [P, R, T, d], along their positions. */
export const atAllUses = (parts: ReadonlyArray<tf.Tensor4D>): tf.Tensor4D => concat(parts, 2);

/** Joins rows and positions: [P, R, T, d] to [P, R·T, d], or to a matrix [R·T, d] if there is one group. */
export function flatRows(t: tf.Tensor4D): tf.Tensor2D | tf.Tensor3D {
  const [P, R, T, d] = t.shape;
  return P === 1 ? (tf.reshape(t, [R * T, d]) as tf.Tensor2D) : (tf.reshape(t, [P, R * T, d]) as tf.Tensor3D);
}
