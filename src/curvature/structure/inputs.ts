/**
 * What the input sides of structures share: rows a of a batch as weight sharing says (Eschenhagen et al. 2023). Of T positions `expand`
 * takes each as a row, so that A is the mean over examples and positions and G the sum over positions; `reduce` takes one row for each
 * example, the mean of a and the sum of g. With one position they agree. The curvature N (A ⊗ G) is exact for one example without
 * shared weights under both, and for deep linear networks that end in a mean over positions under `reduce`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { flatRows } from '../../network/positions.js';
import type { Subject } from './structure.js';

/**
 * Rows √w a of a batch, [R, n] or [P, R, n] in groups, whose second moments are the batch's part of Σ a aᵀ: `weights` w [B] count
 * examples.
 */
export function inputRows(
  { shape, weightSharing }: Subject,
  a: tf.Tensor4D,
  weights: tf.Tensor1D | undefined,
): tf.Tensor2D | tf.Tensor3D {
  const [, B, T] = a.shape;
  const roots = weights === undefined ? undefined : tf.reshape(tf.sqrt(weights), [1, B, 1, 1]);
  if (T === 1 || weightSharing === 'reduce') {
    const rows = T === 1 ? a : tf.mean(a, 2, true);
    return flatRows(roots === undefined ? (rows as tf.Tensor4D) : tf.mul(rows, roots));
  }
  // 1/√T on the rows is 1/T on their second moments. Where T is known beforehand the mean divides by it, and sums of ones stay exact.
  const scale = shape.positions === undefined ? 1 / Math.sqrt(T) : 1;
  return flatRows(tf.mul(a, roots === undefined ? scale : tf.mul(roots, scale)));
}

/** Gradients g [P, R, T, m] as rows of the output factor: each position is a row, or one row holds the sum over them. */
export const gradientRows = (g: tf.Tensor4D, expand: boolean): tf.Tensor2D | tf.Tensor3D =>
  flatRows(expand || g.shape[2] === 1 ? g : tf.sum(g, 2, true));

/** T, where each position is a row of the input sum and their number is known beforehand; 1 otherwise. */
export const positionsOf = ({ positions = 1 }: { readonly positions?: number }): number => positions;
