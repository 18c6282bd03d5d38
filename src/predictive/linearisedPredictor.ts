/** The linearised predictive of one posterior: batches in pieces, each head's report from mean and covariance of its outputs. */
import * as tf from '@tensorflow/tfjs-core';
import type { Head, Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import type { PredictiveOf } from './codec.js';
import { uploadPosterior } from './device.js';
import { ofHeads, predicted } from './heads.js';
import { linearised } from './linearised.js';
import { inPieces } from './pieces.js';
import type { OutputPrediction, Predictor } from './prediction.js';
import { drawsOf, reportLinearised, reportSamples, rowOf } from './report.js';

/** The most rows that go through the network at once; larger batches are cut. */
const MAX_ROWS = 8192;
/** Up to this many classes the expected entropy uses the full covariance of the outputs, beyond it the variances alone. */
const FULL_COVARIANCE_CLASSES = 64;

/** Uploads the posterior; the caller disposes the predictor. */
export function linearisedPredictor(
  network: Network,
  posterior: Posterior,
  { temperature }: PredictiveOf<'linearised'>,
): Predictor {
  const { heads } = network;
  const device = uploadPosterior(network, posterior, temperature);
  const want = heads.some(isJoint) ? 'covariance' : 'variance';
  const step = Math.max(1, Math.floor(MAX_ROWS / network.outputs));
  return {
    predict: async (x) => {
      const values = await inPieces(x, step, (piece) => {
        const { mean, covariance } = linearised(network, device, piece, want);
        return Object.fromEntries(
          heads.flatMap((head, i) => [
            [`mean${i}`, tf.slice(mean, [0, head.first], [-1, head.outputs])],
            [`covariance${i}`, ownCovariance(head, covariance)],
          ]),
        );
      });
      return ofHeads(network, (head, i) =>
        reportGaussian(head, values[`mean${i}`] as Float32Array, values[`covariance${i}`] as Float32Array),
      );
    },
    dispose: device.dispose,
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
    const { values } = await inPieces([f], MAX_ROWS, ([piece]) => ({ values: predicted(head, piece as tf.Tensor2D) }));
    return reportSamples(head, values, samples, values.length / f.shape[0]);
  } finally {
    f.dispose();
  }
}
