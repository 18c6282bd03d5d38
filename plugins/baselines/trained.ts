/** The trained network itself, that is the MAP. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { orThrow } from 'tfjs-laplace';
import { argument, LikelihoodCodec, type LikelihoodInput, readNetwork } from 'tfjs-laplace/extend';
import type { Baseline } from './baseline.js';
import { averaged } from './members.js';

/**
 * The trained network as it is. Its regressions have no epistemic variance.
 *
 * Its predictions reject with `InvalidModel` for a model that cannot be read, and with the errors of `predict`.
 *
 * @throws LaplaceError `InvalidOption` for a likelihood that does not exist.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { trainedNetwork } from 'tfjs-laplace/plugins/baselines';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * const { name, prepare } = trainedNetwork(model, 'categorical');
 * name; // => 'MAP'
 * const { predict, dispose } = await prepare();
 * const [prediction] = await predict([tf.zeros([2, 4])]);
 * prediction?._tag === 'classification' && prediction.entropy.length; // => 2
 * dispose();
 * ```
 */
export function trainedNetwork(model: LayersModel, likelihood: LikelihoodInput): Baseline {
  const own = argument('trainedNetwork', 'likelihood', LikelihoodCodec, likelihood);
  return {
    name: 'MAP',
    trainings: 1,
    prepare: async () => {
      const network = orThrow(readNetwork(model, own));
      return { predict: (inputs) => averaged({ count: 1, at: () => network }, inputs), dispose: () => {} };
    },
  };
}
