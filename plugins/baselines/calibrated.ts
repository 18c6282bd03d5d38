/** Any baseline with a calibration after the fact, such as the MAP with its best temperature. */
import {
  type CalibrationInput,
  type Calibrator,
  calibrate,
  entropy,
  fitCalibrator,
  type InputSource,
  orThrow,
} from 'tfjs-laplace';
import { argument, isArrayLike, laplaceError, refined, struct } from 'tfjs-laplace/extend';
import { type Baseline, type BaselinePrediction, BaselineValue, Batches } from './baseline.js';

/** Batches of inputs that nothing was trained on, and their classes [N]. */
export interface HeldOutClasses {
  readonly inputs: ReadonlyArray<InputSource>;
  readonly labels: ArrayLike<number>;
}

const HeldOut = struct('an object { inputs, labels }', {
  inputs: Batches,
  labels: refined('a list of classes', (value): value is ArrayLike<number> => isArrayLike(value)),
});

/**
 * A baseline whose probabilities are calibrated on held-out data: by default with the temperature that suits it best (Guo et al. 2017).
 * Its preparation predicts the held-out inputs and fits the calibration.
 *
 * It rejects with the errors of the baseline and of `fitCalibrator`, and with `InvalidInput` for predictions that are no classes.
 *
 * @param method as `fitCalibrator` takes it. Default 'temperature'.
 * @throws LaplaceError `InvalidOption` for something else than a baseline or held-out data.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { calibrated, trainedNetwork } from 'tfjs-laplace/plugins/baselines';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * const heldOut = { inputs: [tf.randomNormal([6, 4], 0, 1, 'float32', 1)], labels: [0, 1, 2, 0, 1, 2] };
 * calibrated(trainedNetwork(model, 'categorical'), heldOut).name; // => 'MAP, temperature'
 * ```
 */
export function calibrated(of: Baseline, heldOut: HeldOutClasses, method: CalibrationInput = 'temperature'): Baseline {
  const base = argument('calibrated', 'of', BaselineValue, of);
  const { inputs, labels } = argument('calibrated', 'heldOut', HeldOut, heldOut);
  return {
    name: `${base.name}, ${typeof method === 'string' ? method : method._tag}`,
    trainings: base.trainings,
    prepare: async () => {
      const own = await base.prepare();
      try {
        const fitted = orThrow(fitCalibrator((await own.predict(inputs)).flatMap(probabilitiesOf), labels, method));
        return {
          predict: async (x) => (await own.predict(x)).map((prediction) => under(fitted, prediction)),
          dispose: own.dispose,
        };
      } catch (error) {
        own.dispose();
        throw error;
      }
    },
  };
}

function under(fitted: Calibrator, prediction: BaselinePrediction): BaselinePrediction {
  const probabilities = orThrow(calibrate(probabilitiesOf(prediction), fitted));
  return { _tag: 'classification', probabilities, entropy: orThrow(entropy(probabilities)) };
}

function probabilitiesOf(prediction: BaselinePrediction): ReadonlyArray<ArrayLike<number>> {
  if (prediction._tag === 'classification') return prediction.probabilities;
  throw laplaceError('InvalidInput', {
    what: 'calibrated',
    field: 'of',
    found: `a baseline whose predictions are ${prediction._tag === 'regression' ? 'regressions' : 'for several outputs'}`,
    expected: 'a baseline that predicts classes',
  });
}
