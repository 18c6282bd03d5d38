/** An operator from inputs to predictions with uncertainty. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OperatorFunction } from 'rxjs';
import type { Posterior } from '../posterior/posterior.js';
import { linearised } from '../predictive/codec.js';
import type { Prediction } from '../predictive/prediction.js';
import type { InputSource } from './inputSource.js';
import { type PredictiveChoice, type PredictOptions, predicting } from './predicted.js';

export type { PredictOptions } from './predicted.js';

/**
 * Predicts each batch of inputs under the posterior, by `linearised()` (the default), `activationSampling({ samples })` or
 * `weightSampling({ samples })`. Each of these has a temperature, which multiplies the covariance. Classifiers give a
 * `Classification`, regressions a `Regression`, and `perOutput` one of the two for each output, by the output's name. All numbers
 * are on the host. The posterior is uploaded once for each subscription.
 *
 * Predictions come in the order of the batches. If batches are functions, never more than one batch is on the device: the next
 * function is called when the prediction before has been emitted and its tensors are freed. Whatever the source sends meanwhile
 * waits in a queue. For an endless source use `fromIterable`: it makes each batch only when the last one is done. Unsubscribing
 * ends the work after the present draw, or with `linearised` after the present batch.
 *
 * Errors of the stream: `Mismatch` when the model's weights are not the posterior's, also when they change while the stream
 * lives; `InvalidInput`, `InvalidModel`, `NotFinite`; `Backend` for a kernel that the backend lacks or a lost WebGL context;
 * `InvalidOption` for a predictive that does not suit the likelihood, or a memory budget that is too small for the model.
 *
 * @throws LaplaceError `InvalidOption` for a memory budget that is not a number > 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe, predict, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const prediction = await lastValueFrom(from([data.x]).pipe(predict(model, posterior)));
 * prediction._tag === 'regression' && prediction.totalVariance.length; // => 3
 * ```
 */
export const predict = (
  model: LayersModel,
  posterior: Posterior,
  predictive: PredictiveChoice = linearised(),
  options: PredictOptions = {},
): OperatorFunction<InputSource, Prediction> =>
  predicting('predict', model, posterior, predictive, options, (state) => (state.done ? state.report?.() : undefined));
