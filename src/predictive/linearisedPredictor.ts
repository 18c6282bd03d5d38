/** The linearised predictive of one posterior: batches in pieces, each head's report from mean and covariance of its outputs. */
import * as tf from '@tensorflow/tfjs-core';
import type { Head, Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import type { PredictiveOf } from './codec.js';
import { ofHeads, predicted } from './heads.js';
import { linearisedPieces } from './linearisedPieces.js';
import { inPieces } from './pieces.js';
import type { OutputPrediction, Predictor } from './prediction.js';
import { drawsOf, reportLinearised, reportSamples, rowOf } from './report.js';

/** Draws of outputs whose predictions are made together. */
const DRAWN_ROWS = 8192;
/** Up to this many classes the expected entropy uses the full covariance of the outputs, beyond it the variances alone. */
const FULL_COVARIANCE_CLASSES = 64;

/** The caller disposes the predictor. What it makes on the device stays within `memoryBudget` bytes: see `budget.ts`. */
export function linearisedPredictor(
  network: Network,
  posterior: Posterior,
  { temperature }: PredictiveOf<'linearised'>,
  memoryBudget: number,
): Predictor {
  const { heads } = network;
  const want = heads.some(isJoint) ? 'covariance' : 'variance';
  const pieces = linearisedPieces(network, posterior, temperature, want, memoryBudget);
  return {
    predict: async (x) => {
      const values = await pieces.run(x, ({ mean, covariance }) =>
        Object.fromEntries(
          heads.flatMap((head, i) => [
            [`mean${i}`, tf.slice(mean, [0, head.first], [-1, head.outputs])],
            [`covariance${i}`, ownCovariance(head, covariance)],
          ]),
        ),
      );
      return ofHeads(network, (head, i) =>
        reportGaussian(head, values[`mean${i}`] as Float32Array, values[`covariance${i}`] as Float32Array),
      );
    },
    dispose: pieces.dispose,
  };
}

/** Whether a head's report needs covariances: independent outputs don't, nor do a sequence's steps, each of which is reported by itself. */
const isJoint = ({ likelihood, outputs }: Head): boolean =>
  (likelihood._tag === 'categorical' || likelihood._tag === 'custom') && outputs <= FULL_COVARIANCE_CLASSES;

/** What a head needs of the covariance of f, [B, C, C] or variances [B, C]: its own block [B, c·c], or variances [B, c]. */
function ownCovariance(head: Head, covariance: tf.Tensor): tf.Tensor {
  const { first, outputs: c } = head;
  if (covariance.rank === 2) return tf.slice(covariance, [0, first], [-1, c]);
  const block = tf.slice(covariance, [0, first, first], [-1, c, c]);
  return isJoint(head) ? tf.reshape(block, [block.shape[0] as number, -1]) : tf.sum(tf.mul(block, tf.eye(c)), 2);
}

/** Report of a head with outputs f ~ N(mean, covariance). */
async function reportGaussian(head: Head, mean: Float32Array, covariance: Float32Array): Promise<OutputPrediction> {
  const { likelihood, C } = rowOf(head);
  if (likelihood._tag !== 'custom') return reportLinearised(head, mean, covariance);
  const { draws, samples } = drawsOf(mean, covariance, C);
  const f = tf.tensor2d(draws, [draws.length / C, C]);
  try {
    const { values } = await inPieces([f], DRAWN_ROWS, ([piece]) => ({ values: predicted(head, piece as tf.Tensor2D) }));
    return reportSamples(head, values, samples, values.length / f.shape[0]);
  } finally {
    f.dispose();
  }
}
