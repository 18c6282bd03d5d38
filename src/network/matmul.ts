/**
 * Matrix products in the form that each backend runs fastest. With a transposed operand tfjs's WASM kernel runs fifteen times
 * slower than without, so on WASM the transpose is made first. The other backends do better with the flag.
 */
import * as tf from '@tensorflow/tfjs-core';

const transposesAreSlow = (): boolean => tf.getBackend() === 'wasm';

/** X Yᵀ: x [R, q], y [p, q] to [R, p]; or for every example x [B, R, q], y [B, p, q] to [B, R, p]. */
export function timesTransposed<T extends tf.Tensor2D | tf.Tensor3D>(x: T, y: T): T {
  const [p, q] = y.shape.slice(-2) as [number, number];
  // The transpose of a single row needs no copy.
  if (p === 1) return tf.matMul(x, tf.reshape<tf.Rank>(y, [...y.shape.slice(0, -2), q, 1]) as T);
  if (!transposesAreSlow()) return tf.matMul(x, y, false, true);
  return tf.matMul(x, tf.transpose(y, x.rank === 2 ? [1, 0] : [0, 2, 1]) as T);
}

/** Xᵀ Y: x [q, p], y [q, R] to [p, R]. */
export const transposedTimes = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D =>
  transposesAreSlow() ? tf.matMul(tf.transpose(x), y) : tf.matMul(x, y, true, false);

/**
 * X K + b: x [R, p], K [p, q], b [q]. On most backends one fused kernel does it. TensorFlow has none that tfjs could use: the
 * fused call would run a product and a sum there all the same, and five reshapes around them.
 */
export function affine(x: tf.Tensor2D, kernel: tf.Tensor2D, bias: tf.Tensor1D | undefined): tf.Tensor2D {
  if (bias === undefined) return tf.matMul(x, kernel);
  if (tf.getBackend() === 'tensorflow') return tf.add(tf.matMul(x, kernel), bias);
  return tf.fused.matMul({ a: x, b: kernel, bias }) as tf.Tensor2D;
}

/** Rows of a block. Lower blocks compute less above the diagonal, higher blocks multiply faster (measured at d = 1200). */
const BLOCK = 512;

/**
 * Second moments Σ_r r rᵀ of rows, on and below the diagonal. The blocks of rows [h, h], [h, 2h], … end with one that has all d
 * columns. The blocks above the diagonal are mirror images, so they are not computed. Disposes the rows as soon as it can.
 *
 * @param rows [R, d], or [P, R, d] in groups.
 * @returns the blocks of rows; a single block [d, d] where d is small, or [P, d, d] for rows in groups.
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

/** The first row and the end (exclusive) of each block of a [d, d] triangle. All blocks are equally high, up to rounding. */
export function blockRows(d: number): ReadonlyArray<{ readonly first: number; readonly end: number }> {
  const blocks = Math.ceil(d / BLOCK);
  return Array.from({ length: blocks }, (_, i) => ({
    first: Math.round((i * d) / blocks),
    end: Math.round(((i + 1) * d) / blocks),
  }));
}

/** How many multiplications `gramBlocks` does for each row [d]: d² if d is at most one block, and towards d²/2 for larger d. */
export const gramProducts = (d: number): number => blockRows(d).reduce((sum, { first, end }) => sum + (end - first) * end, 0);
