/** A Laplace approximation beside the other baselines: linearised, sampled, or of the last layer alone. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, toArray } from 'rxjs';
import { linearised, type Posterior, predict } from 'tfjs-laplace';
import { argument, PredictiveCodec, type PredictiveInput, text } from 'tfjs-laplace/extend';
import type { Baseline } from './baseline.js';

/**
 * Predictions under a posterior, as `predict` makes them. What the posterior itself has cost is not counted.
 *
 * Its predictions reject with the errors of `predict`.
 *
 * @param predictive default `linearised()`. After `tune` give its posterior and its predictive.
 * @throws LaplaceError `InvalidOption` for a predictive that does not exist.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, observe, toPosterior } from 'tfjs-laplace';
 * import { posteriorPredictive } from 'tfjs-laplace/plugins/baselines';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, 'gaussian'), accumulateFactors(), toPosterior()),
 * );
 * const { predict } = await posteriorPredictive('linearised', model, posterior).prepare();
 * const [prediction] = await predict([data.x]);
 * prediction?._tag; // => 'regression'
 * ```
 */
export function posteriorPredictive(
  name: string,
  model: LayersModel,
  posterior: Posterior,
  predictive: PredictiveInput = linearised(),
): Baseline {
  const title = argument('posteriorPredictive', 'name', text, name);
  const chosen = argument('posteriorPredictive', 'predictive', PredictiveCodec, predictive);
  return {
    name: title,
    trainings: 1,
    prepare: async () => ({
      predict: (inputs) => lastValueFrom(from(inputs).pipe(predict(model, posterior, chosen), toArray())),
      dispose: () => {},
    }),
  };
}
