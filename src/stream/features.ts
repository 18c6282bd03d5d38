/** An operator from inputs to features of the trained network, for detectors. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OperatorFunction } from 'rxjs';
import { optional, optionsOf, struct, text } from '../codec/index.js';
import { fromDevice } from '../network/device.js';
import { type Featured, readFeatures } from '../network/featureValue.js';
import { valueAt } from '../network/forward.js';
import { notDisposed } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import { type Rows, rowsOf } from '../predictive/prediction.js';
import type { OnProgress } from '../types.js';
import { type InputSource, ownInputs } from './inputSource.js';
import { PROGRESS } from './options.js';
import { sequential } from './sequential.js';

/** Options of `features`. */
export interface FeaturesOptions {
  /** The layer whose output to take, after its activation. By default the features are the inputs of the last dense layer. */
  readonly layer?: string;
  /** Called after every batch. */
  readonly onProgress?: OnProgress;
  /** Number of batches, for progress. */
  readonly total?: number;
}

const Options = struct('options', { layer: optional(text), ...PROGRESS });

/**
 * Computes features of each batch of inputs at the model's present weights: what its last dense layer sees, or the output of another layer.
 * Rows [B][D] on the host, for `fitDetector` and the scores of detectors. An output of more dimensions, such as a map [B, H, W, C], becomes
 * one row for each example; name a pooling layer for the means of its channels. One forward pass, of no more layers than needed.
 *
 * Batches come one after another, in order, as in `predict`. Unsubscribing ends the work after the present batch. Errors of the stream:
 * `InvalidInput`, `InvalidModel` (also for a layer that does not exist, and without a name for several outputs or no dense layer),
 * `NotFinite`, `Backend`.
 *
 * @throws LaplaceError `InvalidOption` for an option out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom, toArray } from 'rxjs';
 * import { features, fitDetector, inputBatches, nearestNeighbours, orThrow } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 8, activation: 'relu', inputShape: [2] }), tf.layers.dense({ units: 3 })] });
 * const x = tf.randomNormal([20, 2]);
 * const rows = await lastValueFrom(from(inputBatches(x, 10)).pipe(features(model), toArray()));
 * const fitted = orThrow(fitDetector({ features: rows.flat() }, nearestNeighbours({ neighbours: 5 })));
 * fitted.features; // => 8
 * ```
 */
export function features(model: LayersModel, options: FeaturesOptions = {}): OperatorFunction<InputSource, Rows> {
  const { layer, onProgress, total } = optionsOf('features', Options, options);
  return sequential(async () => {
    const network = orThrow(readFeatures(model, layer));
    return {
      run: async function* (source, index) {
        orThrow(notDisposed(model));
        const x = orThrow(ownInputs(network, source));
        const value = featuresOf(network, x);
        const data = await fromDevice(value.data<'float32'>()).finally(() => value.dispose());
        onProgress?.({ phase: 'predict', done: index + 1, ...(total === undefined ? {} : { total }), unit: 'batches' });
        yield rowsOf(data, data.length / (value.shape[0] as number));
      },
      close: () => {},
    };
  });
}

/** Computes the value, and frees the inputs. */
function featuresOf(network: Featured, x: tf.Tensor[]): tf.Tensor {
  try {
    return tf.tidy(() => tf.cast(valueAt(network, x, network.value), 'float32'));
  } finally {
    tf.dispose(x);
  }
}
