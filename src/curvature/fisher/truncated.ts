/**
 * `truncated`: of the columns λ of all examples of a batch the largest by ‖λ‖², until those left out add up to less than ε of the
 * whole, the trace of the batch's output Hessian. A trained classifier is sure of most examples, whose Λ is nearly zero: 3 of 10
 * rows are left at ε = 1e-3 on MNIST. What is left out is positive semi-definite, so that G is never too large, and its trace in
 * the outputs is short by less than ε.
 *
 * The choice depends on the batch, so that sums over other batches agree within ε only. Costs one download of K·B numbers.
 */
import * as tf from '@tensorflow/tfjs-core';

/** Numbers k·B + b of the rows of columns [K, B, C] that are kept, ascending. */
export function largestRows(columns: tf.Tensor3D, tolerance: number): Int32Array {
  const norms = tf.tidy(() => tf.reshape(tf.sum(tf.square(columns), 2), [-1]).dataSync()) as Float32Array;
  const sorted = norms.slice().sort();
  const allowed = tolerance * norms.reduce((sum, v) => sum + v, 0);
  let left = 0;
  let dropped = 0;
  // A number that is not finite is never small enough to be left out: the batch's checks shall see what it does.
  while (left < sorted.length && dropped + (sorted[left] as number) < allowed) {
    dropped += sorted[left] as number;
    left += 1;
  }
  // Numbers sort many times faster than rows by number, so that it is the largest norm left out that tells which rows are; of equal
  // norms the first.
  const limit = left === 0 ? Number.NEGATIVE_INFINITY : (sorted[left - 1] as number);
  let equal = left - sorted.indexOf(limit);
  const kept = new Int32Array(norms.length - left);
  let count = 0;
  norms.forEach((norm, row) => {
    if (norm < limit) return;
    if (norm === limit && equal > 0) {
      equal -= 1;
      return;
    }
    kept[count] = row;
    count += 1;
  });
  return kept;
}
