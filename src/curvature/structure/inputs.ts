/**
 * How the T positions of an example become rows of the factors: the two settings of `weightSharing` (Eschenhagen et al. 2023).
 *
 *   expand   each position is a row: A is the mean over examples and positions, and G sums over the positions of an example
 *   reduce   each example is one row: the mean of a over its positions, and the sum of g over its positions
 *
 * With one position the two settings agree. The curvature N (A ⊗ G) of a single example without shared weights is exact under
 * both. For deep linear networks that end in a mean over positions, `reduce` is exact.
 */
import * as tf from '@tensorflow/tfjs-core';
import { flatRows } from '../../network/positions.js';
import type { Subject } from './structure.js';

/**
 * The rows of a batch whose Gram matrix is what the batch adds to Σ a aᵀ.
 *
 * @param a inputs [P, B, T, n]
 * @param weights w [B], how often each example counts; once if undefined. Each row is scaled by √w.
 * @returns [R, n], or [P, R, n] for P > 1 groups
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
  // Rows scaled by 1/√T have second moments scaled by 1/T. If T is known beforehand, the rows stay unscaled and `means.ts`
  // divides the sum by T: then sums of ones stay exact.
  const scale = shape.positions === undefined ? 1 / Math.sqrt(T) : 1;
  return flatRows(tf.mul(a, roots === undefined ? scale : tf.mul(roots, scale)));
}

/**
 * Gradients g [P, R, T, m] as rows of the output factor. With `expand` each position is a row; otherwise a row is the sum over
 * positions.
 */
export const gradientRows = (g: tf.Tensor4D, expand: boolean): tf.Tensor2D | tf.Tensor3D =>
  flatRows(expand || g.shape[2] === 1 ? g : tf.sum(g, 2, true));

/** The divisor of the input sum: T if each position is a row and T is known beforehand, otherwise 1 (`LayerShape.positions`). */
export const positionsOf = ({ positions = 1 }: { readonly positions?: number }): number => positions;
