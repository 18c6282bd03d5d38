/**
 * Products as the backends like them. With a transposed operand tfjs's WASM kernel runs fifteen times slower than without, so there
 * the transpose is made first; the other backends do better with the flag.
 */
import * as tf from '@tensorflow/tfjs-core';

const transposesAreSlow = (): boolean => tf.getBackend() === 'wasm';

/** X Yᵀ: x [R, q], y [p, q] to [R, p]. */
export const timesTransposed = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D =>
  transposesAreSlow() ? tf.matMul(x, tf.transpose(y)) : tf.matMul(x, y, false, true);

/** Xᵀ Y: x [q, p], y [q, R] to [p, R]. */
export const transposedTimes = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D =>
  transposesAreSlow() ? tf.matMul(tf.transpose(x), y) : tf.matMul(x, y, true, false);

/**
 * X K + b: x [R, p], K [p, q], b [q]. One kernel, but for TensorFlow, which has none that tfjs could use: there it would take a
 * product and a sum all the same, and five reshapes for it.
 */
export function affine(x: tf.Tensor2D, kernel: tf.Tensor2D, bias: tf.Tensor1D | undefined): tf.Tensor2D {
  if (bias === undefined) return tf.matMul(x, kernel);
  if (tf.getBackend() === 'tensorflow') return tf.add(tf.matMul(x, kernel), bias);
  return tf.fused.matMul({ a: x, b: kernel, bias }) as tf.Tensor2D;
}

/** Rows of a block: of lower ones less lies above the diagonal, of higher ones the product runs faster (measured at d = 1200). */
const BLOCK = 512;

/**
 * Second moments Σ_r r rᵀ of rows [R, d] on and below their diagonal, block of rows by block of rows: [h, h], [h, 2h], … down to
 * [d − …, d]; what lies above is their mirror image, and costs nothing. A single block [d, d] where d is small; of rows in groups
 * [P, R, d] it is [P, d, d]. Takes the rows: they are freed as soon as they are not needed.
 */
export function gramBlocks(rows: tf.Tensor2D | tf.Tensor3D): tf.Tensor[] {
  const own = rows as tf.Tensor2D;
  const d = own.shape[own.rank - 1] as number;
  if (rows.rank === 3 || d <= BLOCK) {
    const product = tf.tidy(() =>
      transposesAreSlow()
        ? tf.matMul(tf.transpose(own, rows.rank === 2 ? [1, 0] : [0, 2, 1]), own)
        : tf.matMul(own, own, true, false),
    );
    rows.dispose();
    return [product];
  }
  const columns = tf.transpose(own);
  rows.dispose();
  const blocks = blockRows(d).map(({ first, end }) =>
    tf.tidy(() => {
      const block = tf.slice(columns, [first, 0], [end - first, -1]);
      return timesTransposed(block, end === d ? columns : tf.slice(columns, [0, 0], [end, -1]));
    }),
  );
  columns.dispose();
  return blocks;
}

/** Where blocks of rows of a [d, d] triangle begin and end: equally high ones. */
export function blockRows(d: number): ReadonlyArray<{ readonly first: number; readonly end: number }> {
  const blocks = Math.ceil(d / BLOCK);
  return Array.from({ length: blocks }, (_, i) => ({
    first: Math.round((i * d) / blocks),
    end: Math.round(((i + 1) * d) / blocks),
  }));
}

/** Multiplications of `gramBlocks` for each row [d]: d² up to a block's size, towards d²/2 above. */
export const gramProducts = (d: number): number => blockRows(d).reduce((sum, { first, end }) => sum + (end - first) * end, 0);
