/**
 * Inputs and gradients of a block position by position, all uses of its layer together: a layer that is used twice is one block
 * with twice the positions. Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tape } from './forward.js';
import type { Block } from './network.js';

/** a [P, B, T, n], the bias's 1 included; for an embedding the tokens [1, B, T, 1]. */
export const inputsAt = (block: Block, tape: Tape): tf.Tensor4D =>
  atAllUses(block.ops.map((op) => inputsOfUse(block, tape.values.get(op.input) as tf.Tensor)));

/** g [P, R, T, m] of the gradients that `backward` gives, one tensor a use. */
export const gradientsAt = (block: Block, gradients: ReadonlyArray<tf.Tensor>): tf.Tensor4D =>
  atAllUses(block.ops.map(({ map }, use) => map.atPositions(gradients[use] as tf.Tensor)));

/** a [P, B, T, n] at one input of the layer. */
export function inputsOfUse({ map, bias }: Pick<Block, 'map' | 'bias'>, x: tf.Tensor): tf.Tensor4D {
  const a = map.unfold(x);
  if (!bias) return a;
  const [P, R, T] = a.shape;
  const ones = tf.ones([P, R, T, 1]) as tf.Tensor4D;
  return map.n === 1 ? ones : tf.concat([a, ones], 3);
}

const atAllUses = (parts: ReadonlyArray<tf.Tensor4D>): tf.Tensor4D =>
  parts.length === 1 ? (parts[0] as tf.Tensor4D) : tf.concat([...parts], 2);

/** Rows [P, R, d] over all positions, as a matrix [R, d] where there is one group. */
export function flatRows(t: tf.Tensor4D): tf.Tensor2D | tf.Tensor3D {
  const [P, R, T, d] = t.shape;
  return P === 1 ? (tf.reshape(t, [R * T, d]) as tf.Tensor2D) : (tf.reshape(t, [P, R * T, d]) as tf.Tensor3D);
}
