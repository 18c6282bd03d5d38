/**
 * `truncated`: keeps the columns λ with the largest ‖λ‖² among all examples of a batch. Σ ‖λ‖² over all columns is the trace of
 * the batch's output Hessian, and the columns that are left out add up to less than a share ε of it. A trained classifier is sure
 * of most examples, and their Λ is nearly zero: at ε = 1e-3, 3 of 10 rows remain on MNIST. The part that is left out is positive
 * semi-definite. So G is never too large, and in the outputs its trace falls short by less than a share ε.
 *
 * The choice depends on the batch, so sums over differently cut batches agree only within ε. It costs one download of K·B
 * numbers.
 */
import * as tf from '@tensorflow/tfjs-core';
import { defaulted, fraction, make, type Options, variant } from '../../codec/index.js';
import { exactRule } from './exact.js';
import type { FisherRule } from './fisher.js';

export const Truncated = variant('truncated', {
  /** The share of the trace of each batch's output Hessian that may be left out. */
  tolerance: defaulted(fraction, 1e-3),
});

/** The value of `truncated`. */
export type TruncatedFisher = (typeof Truncated)['_A'];

/** Options of `truncated`. */
export type TruncatedOptions = Options<typeof Truncated>;

/**
 * The largest rows of the exact Fisher matrix among all examples of a batch. Rows are taken until less than `tolerance` of the
 * trace of the batch's output Hessian is missing. A trained classifier is sure of most examples, so few rows remain.
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

/** The indices k·B + b of the columns [K, B, C] that are kept, ascending. */
function largestRows(columns: tf.Tensor3D, tolerance: number): Int32Array {
  const norms = tf.tidy(() => tf.reshape(tf.sum(tf.square(columns), 2), [-1]).dataSync()) as Float32Array;
  const sorted = norms.slice().sort();
  const allowed = tolerance * norms.reduce((sum, v) => sum + v, 0);
  let left = 0;
  let dropped = 0;
  // A norm that is not finite is never left out, so that the checks of the batch see its effect.
  while (left < sorted.length && dropped + (sorted[left] as number) < allowed) {
    dropped += sorted[left] as number;
    left += 1;
  }
  // Sorting numbers is many times faster than sorting rows. So `limit`, the largest norm that is left out, decides which rows are
  // left out. The first `equal` rows with exactly this norm are left out too.
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
