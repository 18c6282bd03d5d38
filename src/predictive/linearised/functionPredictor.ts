/** The linearised predictive by Monte Carlo: sampled functions of the linearised network go through the likelihood's own link. */
import * as tf from '@tensorflow/tfjs-core';
import type { Head, Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import type { PredictiveOf } from '../codec.js';
import type { Predictor } from '../prediction.js';
import { networkMoments, ofHeads } from '../report/heads.js';
import { reportSamples } from '../report/report.js';
import { checkSamples } from '../report/samples.js';
import { shiftOf } from '../report/scale.js';
import { sampledFunctions } from './functions.js';

/**
 * Creates the predictor. The caller disposes it. Draws and the work at once stay within `memoryBudget` bytes.
 *
 * @throws LaplaceError `InvalidOption` if the samples are too few for a variance, or for a scale that no output has a use for
 */
export function functionPredictor(
  network: Network,
  posterior: Posterior,
  predictive: PredictiveOf<'functionSampling'>,
  memoryBudget: number,
): Predictor {
  const { heads } = network;
  const { samples } = predictive;
  checkSamples(network, predictive);
  const shift = shiftOf(network, predictive.scale);
  const functions = sampledFunctions(network, posterior, predictive, memoryBudget);
  return {
    predict: async (x) => {
      const { predictions } = await functions.run(x, ({ mean, values }) => {
        const f = shift === undefined ? values : (tf.add(values, tf.expandDims(shift(mean), 1)) as tf.Tensor3D);
        const [B] = f.shape;
        const ofHead = (head: Head): tf.Tensor => {
          const own = tf.slice(f, [0, 0, head.first], [-1, -1, head.outputs]);
          // Each step of a sequence is a row of the report, so [B, S, steps, P] becomes [B, steps, S, P].
          const rows = networkMoments(head, tf.reshape(own, [B * samples, head.outputs]) as tf.Tensor2D);
          const steps = head.outputs / head.row.outputs;
          return tf.transpose(tf.reshape(rows, [B, samples, steps, -1]), [0, 2, 1, 3]);
        };
        return { predictions: heads.map(ofHead) };
      });
      return ofHeads(network, (head, i) => {
        const draws = predictions[i] as Float32Array;
        const rows = ((x[0]?.shape[0] as number) * head.outputs) / head.row.outputs;
        return reportSamples(head, draws, samples, draws.length / (rows * samples), predictive.design);
      });
    },
    dispose: functions.dispose,
  };
}
