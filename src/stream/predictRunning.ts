/** Inputs to predictions that improve draw by draw. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OperatorFunction } from 'rxjs';
import type { Posterior } from '../posterior/posterior.js';
import { linearised } from '../predictive/codec.js';
import type { Prediction } from '../predictive/prediction.js';
import type { InputSource } from './inputSource.js';
import { type PredictiveChoice, type PredictOptions, predictingWorker } from './predicted.js';
import { sequential } from './sequential.js';

/** What is known of a batch after a draw. */
export interface RunningPrediction {
  /** The batch's number, from 0. */
  readonly batch: number;
  /** How many draws have been averaged; 0 for `linearised`, which has none. */
  readonly samples: number;
  /** The largest standard error of a mean prediction of the batch (probabilities, or label units); infinite while it can't be told. */
  readonly standardError: number;
  /** Of these draws: what `predict` would give for as many samples. */
  readonly prediction: Prediction;
  /** Whether it is the last of its batch: there are `samples` draws, or `standardError` has been reached. */
  readonly done: boolean;
}

/**
 * Predicts each batch as `predict` does and emits the prediction after every draw, with the standard error of its means: to show it while
 * it improves, or to stop by a rule of one's own; of a regression from the second draw on (the fourth of antithetic ones), when variances
 * can be told. `linearised()` emits once a batch. Batches come one after another, in order; errors are
 * those of `predict`. Unsubscribing ends the work after the draw in hand.
 *
 * The standard error is that of the design: of independent draws their standard deviation over √S, of antithetic ones that of pairs, of
 * quasi-random ones that of eight independent sequences.
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
  sequential(() =>
    predictingWorker(
      model,
      posterior,
      predictive,
      options,
      async ({ samples, done, standardError, report }, batch) =>
        report && { batch, samples, standardError: standardError(), prediction: await report(), done },
    ),
  );
