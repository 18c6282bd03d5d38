/** The linearised predictive of one posterior: batches in pieces, each head's report from mean and covariance of its outputs. */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../../errors.js';
import { MOST_ROWS } from '../../limits.js';
import type { Head, Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import type { PredictiveOf } from '../codec.js';
import { inPieces } from '../device/pieces.js';
import type { OutputPrediction, Predictor } from '../prediction.js';
import { ofHeads, predicted } from '../report/heads.js';
import { drawsOf, type LinkOptions, reportLinearised } from '../report/linearisedReport.js';
import { isClasses, reportSamples, rowOf } from '../report/report.js';
import { linearisedPieces } from './linearisedPieces.js';

/** Up to this many classes (of all steps of a sequence) links know the full covariance of the outputs, beyond it variances alone. */
const FULL_COVARIANCE_CLASSES = 64;

/** The caller disposes the predictor. What it makes on the device stays within `memoryBudget` bytes: see `plans.ts`. */
export function linearisedPredictor(
  network: Network,
  posterior: Posterior,
  predictive: PredictiveOf<'linearised'>,
  memoryBudget: number,
): Predictor {
  const { heads } = network;
  checkLink(heads, predictive);
  const want = heads.some(isJoint) ? 'covariance' : 'variance';
  const pieces = linearisedPieces(network, posterior, predictive.temperature, want, memoryBudget);
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
        reportGaussian(head, values[`mean${i}`] as Float32Array, values[`covariance${i}`] as Float32Array, predictive),
      );
    },
    dispose: pieces.dispose,
  };
}

/** Whether a head's report needs covariances: independent outputs don't. */
const isJoint = (head: Head): boolean =>
  ['categorical', 'custom'].includes(rowOf(head).likelihood._tag) && head.outputs <= FULL_COVARIANCE_CLASSES;

/**
 * What a head needs of the covariance of f, [B, C, C] or variances [B, C]: its own block [B, c·c], of a sequence each step's
 * [B, S·c·c], or variances [B, c].
 */
function ownCovariance(head: Head, covariance: tf.Tensor): tf.Tensor {
  const { first, outputs } = head;
  if (covariance.rank === 2) return tf.slice(covariance, [0, first], [-1, outputs]);
  const block = tf.slice(covariance, [0, first, first], [-1, outputs, outputs]);
  const B = block.shape[0] as number;
  // Steps, or single outputs, are reported by themselves.
  const c = isJoint(head) ? rowOf(head).C : 1;
  const S = outputs / c;
  const own = S === 1 ? block : tf.sum(tf.mul(tf.reshape(block, [B, S, c, S, c]), tf.reshape(tf.eye(S), [S, 1, S, 1])), 3);
  return tf.reshape(own, [B, -1]);
}

/** A link that no head has a use for is a mistake. */
function checkLink(heads: ReadonlyArray<Head>, { link }: LinkOptions): void {
  const useful = (head: Head): boolean => {
    const { likelihood } = rowOf(head);
    return isClasses(likelihood) || (likelihood._tag === 'custom' && link === 'monteCarlo');
  };
  if (link === 'probit' || heads.some(useful)) return;
  const tags = [...new Set(heads.map((head) => rowOf(head).likelihood._tag))];
  throw laplaceError('InvalidOption', {
    what: `The ${tags.join(' and ')} likelihood has no use for a link`,
    field: 'predictive.link',
    found: `'${link}'`,
    expected: `'probit', the default${tags.includes('custom') ? ", or 'monteCarlo'" : ''}`,
    remedy: 'Links are for the probabilities of classes; leave it out.',
  });
}

/** Report of a head with outputs f ~ N(mean, covariance). */
async function reportGaussian(
  head: Head,
  mean: Float32Array,
  covariance: Float32Array,
  options: LinkOptions,
): Promise<OutputPrediction> {
  const { likelihood, C } = rowOf(head);
  if (likelihood._tag !== 'custom') return reportLinearised(head, mean, covariance, options);
  const draws = drawsOf(mean, covariance, C, options);
  const f = tf.tensor2d(draws, [draws.length / C, C]);
  try {
    const { values } = await inPieces([f], MOST_ROWS, ([piece]) => ({ values: predicted(head, piece as tf.Tensor2D) }));
    return reportSamples(head, values, options.samples, values.length / f.shape[0], 'antithetic');
  } finally {
    f.dispose();
  }
}
