/**
 * What the weights of one layer add to the covariances of the outputs, from the gradients of the outputs in the layer's pre-activations.
 * The formulas and costs are those of `linearised.ts`. Whatever does not depend on the variances of the weights is computed once.
 */
import * as tf from '@tensorflow/tfjs-core';
import { concat } from '../../network/concat.js';
import type { Tape } from '../../network/forward.js';
import {
  mapWeightGradients,
  ownGradients,
  rotate,
  sameTokens,
  summedByToken,
  type WeightGradients,
} from '../../network/gradients.js';
import type { Block } from '../../network/network.js';
import { gradientsAt, inputsAt } from '../../network/positions.js';
import type { Stack } from '../../network/stack.js';
import type { DeviceDirections, Want } from '../device/structure/structure.js';

/** Calls a function with a layer's variances under each posterior. What it makes on the way is freed. */
export type Each = (of: (variances: tf.Tensor3D) => tf.Tensor) => tf.Tensor[];

/** What the weights of one block add, from the gradients in its pre-activations, one tensor for each use. */
export function ofUses(
  layer: DeviceDirections,
  each: Each,
  block: Block,
  tape: Tape,
  uses: ReadonlyArray<tf.Tensor>,
  stack: Stack,
  want: Want,
  numbers: number | undefined,
): tf.Tensor[] {
  const plain = layer.inputVectors === undefined && layer.gradientVectors === undefined;
  const own = plain ? ownGradients(block, tape, uses, stack) : undefined;
  if (own === undefined) return ofBlock(layer, each, block, tape, gradientsAt(block, uses), stack, want, numbers);
  const [P, R, n, m] = own.shape;
  const rows = tf.reshape(tf.transpose(own, [1, 0, 2, 3]), [R / tape.size, tape.size, P * n * m]);
  return each((variances) => contracted(tf.mul(rows, tf.reshape(variances, [1, 1, P * n * m])), rows, want));
}

/** What the weights of one block add to the covariances or variances, from the gradients g [P, C·B, T, m]. */
function ofBlock(
  layer: DeviceDirections,
  each: Each,
  block: Block,
  tape: Tape,
  g: tf.Tensor4D,
  stack: Stack,
  want: Want,
  numbers: number | undefined,
): tf.Tensor[] {
  const a = inputsAt(block, tape);
  const [P, B, T] = a.shape;
  const { n, m } = block;
  const C = g.shape[1] / B;
  const v = rotate(g, layer.gradientVectors);
  if (block.map.inputs === 'tokens' && layer.inputVectors === undefined) {
    // The sum of T S² Ĝ_c Ĝ_c' over the tokens, as a sum over the steps that hold them.
    const tokens = tf.reshape(a, [B, T]);
    const right = tf.reshape(summedByToken(sameTokens(a), v, stack), [C, B, T * m]);
    return each((variances) => {
      const q = tf.gather(tf.reshape(variances, [n, m]), tokens);
      const left = tf.reshape(tf.mul(tf.reshape(v, [C, B, T, m]), tf.expandDims(q, 0)), [C, B, T * m]);
      return contracted(left, right, want);
    });
  }
  if (T === 1) {
    const u = tf.reshape(tf.square(rotate(a, layer.inputVectors)), [P, B, n]) as tf.Tensor3D;
    const all = tf.reshape(v, [P, C, B, m]);
    const flat = (t: tf.Tensor): tf.Tensor =>
      P === 1 ? tf.reshape(t, [C, B, m]) : tf.reshape(tf.transpose(t, [1, 2, 0, 3]), [C, B, P * m]);
    const right = flat(all);
    return each((variances) => {
      const q = tf.matMul(u, variances);
      return contracted(flat(tf.mul(all, tf.expandDims(q, 1))), right, want);
    });
  }
  /** [B, posteriors, …] for a chunk of B examples. */
  const take = (G: WeightGradients): tf.Tensor =>
    tf.stack(
      each((variances) => {
        const scaled = tf.mul(G, tf.reshape(tf.sqrt(variances), [P, 1, n, 1, m]));
        if (want === 'variance') return tf.sum(tf.square(scaled), [0, 2, 4]);
        const rows = tf.reshape(tf.transpose(scaled, [1, 3, 0, 2, 4]), [G.shape[1], C, P * n * m]) as tf.Tensor3D;
        return tf.matMul(rows, rows, false, true);
      }),
      1,
    );
  return tf.unstack(concat(mapWeightGradients(rotate(a, layer.inputVectors), v, stack, take, numbers), 0), 1);
}

/**
 * The part of several blocks that share one covariance (`full`), from the gradients of all their weights end to end, [B·C, W].
 */
export function ofCoupled({ inputVectors }: DeviceDirections, each: Each, rows: tf.Tensor2D, B: number, want: Want): tf.Tensor[] {
  const rotated = tf.matMul(rows, inputVectors as tf.Tensor2D);
  return each((variances) => {
    const scaled = tf.mul(rotated, tf.reshape(tf.sqrt(variances), [1, -1]));
    const byExample = tf.reshape(scaled, [B, rows.shape[0] / B, -1]) as tf.Tensor3D;
    return want === 'variance' ? tf.sum(tf.square(byExample), 2) : tf.matMul(byExample, byExample, false, true);
  });
}

/** Σ_j left_cbj right_c'bj for every example b: [B, C, C], or only the entries with c = c', [B, C]. */
function contracted(left: tf.Tensor, right: tf.Tensor, want: Want): tf.Tensor {
  if (want === 'variance') return tf.transpose(tf.sum(tf.mul(left, right), 2));
  const perExample = (t: tf.Tensor): tf.Tensor3D => tf.transpose(t, [1, 0, 2]) as tf.Tensor3D;
  return tf.matMul(perExample(left), perExample(right), false, true);
}
