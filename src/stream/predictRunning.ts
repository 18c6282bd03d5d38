/** An operator from inputs to predictions that improve draw by draw. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OperatorFunction } from 'rxjs';
import type { Posterior } from '../posterior/posterior.js';
import { linearised } from '../predictive/codec.js';
import type { Prediction } from '../predictive/prediction.js';
import type { InputSource } from './inputSource.js';
import { type PredictiveChoice, type PredictOptions, predicting } from './predicted.js';

/** The prediction of a batch after some of its draws. */
export interface RunningPrediction {
  /** The batch's number, from 0. */
  readonly batch: number;
  /** S: how many draws have been averaged. 0 for `linearised`, which has none. */
  readonly samples: number;
  /**
   * The largest standard error of the batch's mean predictions (probabilities, or label units). Infinite while the draws are too
   * few.
   */
  readonly standardError: number;
  /** The prediction from these draws: what `predict` would give for as many samples. */
  readonly prediction: Prediction;
  /** Whether this is the batch's last prediction: it has as many draws as were asked for, or has reached `standardError`. */
  readonly done: boolean;
}

/**
 * Predicts each batch as `predict` does, and emits the prediction after every draw with the standard error of its means. Use it
 * to show a prediction while it improves, or to stop by a rule of your own. A regression is emitted from the second draw on (with
 * antithetic draws from the fourth), because its variances are not defined before. `linearised()` emits once for each batch.
 * Batches come one after another, in order. It has the same errors as `predict`. Unsubscribing ends the work after the present
 * draw.
 *
 * The standard error follows the design of the draws. For S independent draws it is their standard deviation over √S. For
 * antithetic draws it comes from the means of pairs, for quasi-random draws from the means of eight independent sequences.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom, takeWhile } from 'rxjs';
 * import { accumulateFactors, activationSampling, batches, gaussian, kfac, observe, predictRunning, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const first = await lastValueFrom(
 *   from([data.x]).pipe(
 *     predictRunning(model, posterior, activationSampling({ samples: 1000 })),
 *     takeWhile(({ samples }) => samples < 12, true),
 *   ),
 * );
 * [first.samples, first.done]; // => [12, false]
 * ```
 */
export const predictRunning = (
  model: LayersModel,
  posterior: Posterior,
  predictive: PredictiveChoice = linearised(),
  options: PredictOptions = {},
): OperatorFunction<InputSource, RunningPrediction> =>
  predicting(
    'predictRunning',
    model,
    posterior,
    predictive,
    options,
    async ({ samples, done, standardError, report }, batch) =>
      report && { batch, samples, standardError: standardError(), prediction: await report(), done },
  );
