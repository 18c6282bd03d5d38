/** Observes the batches of a trained model's data: a pass at fixed weights, which replaces the training callback. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { defer, map, type OperatorFunction } from 'rxjs';
import { type Choice, choiceOf, defaulted, nonNegativeInteger, optionsOf, struct } from '../codec/index.js';
import { type Likelihood, LikelihoodCodec, type LikelihoodInput } from '../likelihood/index.js';
import { readNetwork } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import { type BatchSource, type ObservedBatch, observedBatch } from './observed.js';

/** Options of `observe`. */
export interface ObserveOptions {
  /**
   * The number of the first batch in its data set, counted from 0 (default). Random numbers and error messages go by the numbers of batches:
   * so a shard of a data set draws what the whole pass draws there. See `shardsOf`.
   */
  readonly firstBatch?: number;
}

const Options = struct('options', { firstBatch: defaulted(nonNegativeInteger, 0) });

/**
 * Observes labelled batches at the model's present weights, in inference mode (no dropout).
 *
 * A batch is `{ x, y }` or `{ xs, ys }`, or a function that makes one when its turn comes (see `batches`, `fromDataset`).
 * `weights` [B] say how often each example counts. Tensors that are handed in stay the caller's. Arrays become tensors, which are
 * freed.
 *
 * Errors of the stream: `InvalidModel` for a model that cannot be read. Shapes are checked when a batch is used.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const factors = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac({ fisher: 'exact' }))),
 * );
 * factors.count; // => 3
 * ```
 */
export function observe(
  model: LayersModel,
  likelihood: Choice<'likelihood', Likelihood, LikelihoodInput>,
  options: ObserveOptions = {},
): OperatorFunction<BatchSource, ObservedBatch> {
  const own = choiceOf('observe', 'likelihood', LikelihoodCodec, likelihood);
  const { firstBatch } = optionsOf('observe', Options, options);
  return (source) =>
    defer(() => {
      const network = orThrow(readNetwork(model, own));
      return source.pipe(map((batch, index) => observedBatch(network, batch, firstBatch + index)));
    });
}
