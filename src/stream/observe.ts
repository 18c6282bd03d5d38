/**
 * Batches of a trained model's data on their way to factors: the pass at fixed weights that replaces the training callback.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { defer, map, type OperatorFunction } from 'rxjs';
import type { Likelihood } from '../likelihood/codec.js';
import { readNetwork } from '../network/network.js';
import { type BatchSource, type ObservedBatch, observedBatch, orThrow } from './observed.js';

/**
 * Observes labelled batches at the model's present weights, in inference mode (no dropout).
 *
 * Batches are `{ x, y }` or `{ xs, ys }`, with `weights` [B] where examples do not count once each, or functions that make one when its
 * turn comes (see `batches`, `fromDataset`). Tensors
 * that are handed in stay the caller's; arrays become tensors and are freed.
 *
 * Errors of the stream: `InvalidModel` for a model that cannot be read; shapes are checked when a batch is used.
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
export const observe =
  (
    model: LayersModel,
    likelihood: Likelihood | { readonly likelihood: Likelihood },
  ): OperatorFunction<BatchSource, ObservedBatch> =>
  (source) =>
    defer(() => {
      const network = orThrow(readNetwork(model, 'likelihood' in likelihood ? likelihood.likelihood : likelihood));
      return source.pipe(map((batch, index) => observedBatch(network, batch, index)));
    });
