/**
 * What one batch adds to the sums of a layer: from its inputs a [P, B, T, n] and the gradients g [P, R, T, m] of stacked rows, by the
 * layer's structure (`layout.ts`).
 *
 * Weight sharing (Eschenhagen et al. 2023): of T positions `expand` takes every one as a row, A the mean over examples and positions
 * and G the sum over positions; `reduce` takes a row for each example, the mean of a and the sum of g. With one position they agree.
 * The curvature N (A ⊗ G) is exact for one example without shared weights under both, and for deep linear networks that end in a
 * mean over positions under `reduce`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Block } from '../../network/blocks.js';
import { mapWeightGradients, rotate, sameTokens, summedByToken } from '../../network/gradients.js';
import { flatRows } from '../../network/positions.js';
import { type Stack, toRows } from '../../network/stack.js';
import type { LayerLayout } from '../layout.js';
import type { Sink } from '../observation.js';

/** A layer on its way into the sums. */
export interface Subject {
  /** Its number in the layout. */
  readonly layer: number;
  readonly layout: LayerLayout;
  readonly block: Block;
  readonly weightSharing: 'expand' | 'reduce';
  /** Of `eigen`: device copies of the basis; a side without is the identity. */
  readonly basis?: { readonly input: tf.Tensor | undefined; readonly gradient: tf.Tensor | undefined };
}

/** Adds what the inputs alone tell. `weights` [B]: how often each example counts. */
export function addInputs(subject: Subject, a: tf.Tensor4D, weights: tf.Tensor1D | undefined, sink: Sink): void {
  const { layer, layout, weightSharing } = subject;
  const [, B, T] = a.shape;
  if (layout.structure === 'embedding') {
    const share = tf.div(weights ?? tf.ones([B]), T);
    const counts = tf.tile(tf.reshape(share, [B, 1]), [1, T]);
    sink.add(layer, 0, tf.reshape(scattered(a, tf.reshape(counts, [B * T, 1]) as tf.Tensor2D, layout.n), [layout.n, 1]));
  }
  if (layout.structure !== 'kronecker' && layout.structure !== 'lowRank') return;
  const roots = weights === undefined ? undefined : tf.reshape(tf.sqrt(weights), [1, B, 1, 1]);
  if (T === 1 || weightSharing === 'reduce') {
    const rows = T === 1 ? a : tf.mean(a, 2, true);
    sink.gram(layer, 0, flatRows(roots === undefined ? (rows as tf.Tensor4D) : tf.mul(rows, roots)));
    return;
  }
  // 1/√T on the rows is 1/T on their second moments; where T is known beforehand, `moments` divides, and sums of ones stay exact.
  const scale = layout.positions === undefined ? 1 / Math.sqrt(T) : 1;
  sink.gram(layer, 0, flatRows(tf.mul(a, roots === undefined ? scale : tf.mul(roots, scale))));
}

/** Adds what the gradients of one stack of rows tell. Inputs are asked for by those structures alone that need them. */
export function addGradients(subject: Subject, inputs: () => tf.Tensor4D, g: tf.Tensor4D, stack: Stack, sink: Sink): void {
  const { layer, layout, weightSharing, basis, block } = subject;
  switch (layout.structure) {
    case 'kronecker':
    case 'embedding': {
      const expand = layout.structure === 'embedding' || weightSharing === 'expand' || g.shape[2] === 1;
      sink.gram(layer, 1, flatRows(expand ? g : tf.sum(g, 2, true)));
      return;
    }
    case 'diagonal':
    case 'eigen': {
      const a = inputs();
      const own = rotate(g, basis?.gradient);
      sink.add(
        layer,
        0,
        block.structure === 'embedding'
          ? tokenSquares(a, own, stack, layout)
          : squares(rotate(a, basis?.input), own, stack, layout),
      );
      return;
    }
    case 'full':
    case 'lowRank':
  }
}

/** Adds gradients Ĝ [P, R, n, m] that a map made by itself, to a `diagonal`. */
export const addWeightGradients = ({ layer, layout: { groups, n, m } }: Subject, gradients: tf.Tensor4D, sink: Sink): void =>
  sink.add(layer, 0, tf.reshape(tf.sum(tf.square(gradients), 1), [groups * n, m]));

/** Σ Ĝ ⊙ Ĝ over rows, [P·n, m]. */
function squares(a: tf.Tensor4D, g: tf.Tensor4D, stack: Stack, { groups: P, n, m }: LayerLayout): tf.Tensor {
  if (a.shape[2] === 1) {
    // One position: (a_i g_j)² = a_i² g_j², so that the sum is one product and no gradient is made.
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

/** The same for an embedding: a token's gradient is the sum over the steps that hold it. */
function tokenSquares(tokens: tf.Tensor4D, g: tf.Tensor4D, stack: Stack, { n, m }: LayerLayout): tf.Tensor {
  const summed = summedByToken(sameTokens(tokens), g, stack);
  // Σ_v (Σ_{t: x_t = v} g_t)² = Σ_t g_t ⊙ Σ_{t': x_t' = x_t} g_t', sorted by token.
  const values = tf.reshape(tf.mul(g, summed), [-1, m]) as tf.Tensor2D;
  const [, , T] = tokens.shape;
  const rows = toRows(stack, tf.reshape(tokens, [tokens.shape[1], T]));
  return scattered(rows, values, n);
}

/** Σ of the rows [R, m] of every token, [vocabulary, m]. */
const scattered = (tokens: tf.Tensor, rows: tf.Tensor2D, vocabulary: number): tf.Tensor =>
  tf.scatterND(tf.reshape(tokens, [-1, 1]), rows, [vocabulary, rows.shape[1]]);
