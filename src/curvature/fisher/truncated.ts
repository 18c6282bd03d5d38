/**
 * `truncated`: the largest columns λ of all examples of a batch by ‖λ‖², until the others add up to less than ε of the whole, the trace of
 * the batch's output Hessian. A trained classifier is sure of most examples, whose Λ is nearly zero: 3 of 10 rows are left at ε = 1e-3
 * on MNIST. The part that is left out is positive semi-definite, so that G is never too large, and its trace in the outputs is short by
 * less than ε.
 *
 * The choice depends on the batch, so that sums over other batches agree within ε only. Costs one download of K·B numbers.
 */
import * as tf from '@tensorflow/tfjs-core';
import { defaulted, fraction, make, type Options, variant } from '../../codec/index.js';
import { exactRule } from './exact.js';
import type { FisherRule } from './fisher.js';

export const Truncated = variant('truncated', {
  /** Share of each batch's trace of the output Hessian that may be left out. */
  tolerance: defaulted(fraction, 1e-3),
});

/** The value of `truncated`. */
export type TruncatedFisher = (typeof Truncated)['_A'];

/** Options of `truncated`. */
export type TruncatedOptions = Options<typeof Truncated>;

/**
 * The largest rows of the exact Fisher: of all examples of a batch, until less than `tolerance` of the trace of the batch's output
 * Hessian is missing. A trained classifier is sure of most examples, and few rows are left.
 *
 * @throws LaplaceError `InvalidOption` for a tolerance outside [0, 1).
 *
 * @example
 * ```ts
 * import { truncated } from 'tfjs-laplace';
 *
 * truncated(); // => { _tag: 'truncated', tolerance: 1e-3 }
 * ```
 */
export const truncated = (options: TruncatedOptions = {}): TruncatedFisher => make('truncated', Truncated, options);

export const truncatedRule: FisherRule<TruncatedFisher> = {
  ...exactRule,
  kept: ({ tolerance }, columns) => largestRows(columns, tolerance),
};

/** Numbers k·B + b of the rows of columns [K, B, C] that are kept, ascending. */
function largestRows(columns: tf.Tensor3D, tolerance: number): Int32Array {
  const norms = tf.tidy(() => tf.reshape(tf.sum(tf.square(columns), 2), [-1]).dataSync()) as Float32Array;
  const sorted = norms.slice().sort();
  const allowed = tolerance * norms.reduce((sum, v) => sum + v, 0);
  let left = 0;
  let dropped = 0;
  // A number that is not finite is never small enough to be left out: the batch's checks must see what it does.
  while (left < sorted.length && dropped + (sorted[left] as number) < allowed) {
    dropped += sorted[left] as number;
    left += 1;
  }
  // Numbers sort many times faster than rows do. So the largest norm that is left out decides which rows are left out; of equal norms the
  // first ones are.
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
