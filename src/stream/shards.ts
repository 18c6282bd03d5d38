/** Ranges of a data set that can be summed on their own, and whose sums add up to that of one pass. */
import { argument, optionsOf, positiveInteger, struct } from '../codec/index.js';

/** One range of the examples of a data set. */
export interface Shard {
  /** The number of its first example, from 0. */
  readonly first: number;
  /** The number of the first example after it. */
  readonly end: number;
  /** The number of its first batch in the data set, from 0. */
  readonly firstBatch: number;
}

/** Options of `shardsOf`. */
export interface ShardOptions {
  /** Examples of a shard; rounded up to whole batches. */
  readonly size: number;
  /** Examples of a batch. */
  readonly batchSize: number;
}

const Options = struct('options', { size: positiveInteger, batchSize: positiveInteger });

/**
 * Cuts N examples into shards that begin where a batch begins. A pass over each of them, with `firstBatch`, sees the batches of one pass over
 * all examples, and draws the same random numbers for them. So the factors add up to those of that pass, but for the rounding of sums.
 *
 * @param N the number of examples
 * @throws LaplaceError `InvalidOption` for numbers that are no integers >= 1
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, type Factors, factorsMonoid, observe, orThrow, shardsOf } from 'tfjs-laplace';
 * import { either as E, monoid as M } from 'fp-ts';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * const [x, y] = [tf.randomNormal([25, 4]), tf.range(0, 25).mod(3).toInt() as tf.Tensor1D];
 * const sums: Factors[] = [];
 * for (const { first, end, firstBatch } of shardsOf(25, { size: 10, batchSize: 5 })) {
 *   const data = { x: x.slice(first, end - first), y: y.slice(first, end - first) };
 *   const pass = from(batches(data, 5)).pipe(
 *     observe(model, 'categorical', { firstBatch }),
 *     accumulateFactors('kfac', { part: { dataset: 'mine', first } }),
 *   );
 *   sums.push(await lastValueFrom(pass));
 * }
 * const all = orThrow(M.concatAll(factorsMonoid(sums[0]))(sums.map(E.right)));
 * all.parts; // => [{ dataset: 'mine', first: 0, end: 25 }]
 * ```
 */
export function shardsOf(N: number, options: ShardOptions): ReadonlyArray<Shard> {
  argument('shardsOf', 'N', positiveInteger, N);
  const { size, batchSize } = optionsOf('shardsOf', Options, options);
  const batchesEach = Math.ceil(size / batchSize);
  const each = batchesEach * batchSize;
  return Array.from({ length: Math.ceil(N / each) }, (_, i) => ({
    first: i * each,
    end: Math.min(N, (i + 1) * each),
    firstBatch: i * batchesEach,
  }));
}
