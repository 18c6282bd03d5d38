/** Inputs to predictions with uncertainty. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OperatorFunction } from 'rxjs';
import { notDisposed } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import { linearised, type Predictive } from '../predictive/codec.js';
import type { Prediction } from '../predictive/prediction.js';
import { createPredictor } from '../predictive/predictor.js';
import type { OnProgress } from '../types.js';
import { bindPosterior } from './bound.js';
import { type InputSource, ownInputs } from './inputSource.js';
import { orThrow } from './observed.js';
import { sequential } from './sequential.js';

/** Options of `predict` beside the predictive itself. */
export interface PredictOptions {
  /** Called after every batch. */
  readonly onProgress?: OnProgress;
  /** Number of batches, for progress. */
  readonly total?: number;
  /**
   * The most bytes that the linearised predictive allocates on the device beside the model and the batch: batches, outputs and layers
   * are taken in parts that fit; fewer bytes take longer. Default 1 GiB; `Infinity` for no bound.
   */
  readonly memoryBudget?: number;
}

/**
 * Predicts each batch of inputs under the posterior: `linearised()` (the default), `activationSampling({ samples })` or
 * `weightSampling({ samples })`, each with a temperature that scales the covariance. Classifiers give a `Classification`,
 * Gaussian likelihoods a `Regression`, `perOutput` one of these for each output, by its name; all are host numbers. The posterior is
 * uploaded once a subscription.
 *
 * Errors of the stream: `Mismatch` when the model's weights are not the posterior's; `InvalidInput`, `InvalidModel`,
 * `NotFinite`; `Backend` for a kernel that the backend lacks or a WebGL context that is lost.
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
  predictive: Predictive | { readonly predictive: Predictive } = linearised(),
  options: PredictOptions = {},
): OperatorFunction<InputSource, Prediction> =>
  sequential(async () => {
    const network = await bindPosterior(model, posterior);
    const own = 'predictive' in predictive ? predictive.predictive : predictive;
    const predictor = createPredictor(network, posterior, own, options.memoryBudget);
    return {
      run: async (source, index) => {
        orThrow(notDisposed(model));
        const x = ownInputs(network, source);
        try {
          const prediction = await predictor.predict(x, index);
          const { onProgress, total } = options;
          onProgress?.({ phase: 'predict', done: index + 1, ...(total === undefined ? {} : { total }), unit: 'batches' });
          return prediction;
        } finally {
          tf.dispose(x);
        }
      },
      close: predictor.dispose,
    };
  });
