/**
 * The linearised predictive of one posterior. Batches go through in pieces, and each head's report is made from the mean and
 * covariance of its outputs.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../../errors.js';
import { MOST_ROWS } from '../../limits.js';
import type { Head, Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import type { PredictiveOf } from '../codec.js';
import { inPieces } from '../device/pieces.js';
import { DEFAULT_LINK, linkRule, nameOf } from '../links/index.js';
import type { OutputPrediction, Predictor } from '../prediction.js';
import { networkMoments, ofHeads } from '../report/heads.js';
import { drawsOf, type LinkOptions, reportLinearised } from '../report/linearisedReport.js';
import { formOf, reportSamples } from '../report/report.js';
import { checkScale } from '../report/scale.js';
import { isJoint, ownCovariance } from './headCovariance.js';
import { linearisedPieces } from './linearisedPieces.js';

/**
 * Creates the predictor. The caller disposes it. Its work on the device stays within `memoryBudget` bytes (`device/plans.ts`).
 *
 * @throws LaplaceError `InvalidOption` for a link that no output has a use for
 */
export function linearisedPredictor(
  network: Network,
  posterior: Posterior,
  predictive: PredictiveOf<'linearised'>,
  memoryBudget: number,
): Predictor {
  const { heads } = network;
  checkLink(heads, predictive);
  checkScale(heads, predictive.scale);
  const want = heads.some(isJoint) ? 'covariance' : 'variance';
  const pieces = linearisedPieces(network, posterior, predictive.temperature, want, memoryBudget);
  return {
    predict: async (x) => {
      const { means, covariances } = await pieces.run(x, ({ mean, covariance }) => ({
        means: heads.map((head) => tf.slice(mean, [0, head.first], [-1, head.outputs])),
        covariances: heads.map((head) => ownCovariance(head, covariance)),
      }));
      return ofHeads(network, (head, i) =>
        reportGaussian(head, means[i] as Float32Array, covariances[i] as Float32Array, predictive),
      );
    },
    dispose: pieces.dispose,
  };
}

/** Whether a head is a regression without closed moments, which is averaged over draws of its outputs. */
const isDrawn = (head: Head): boolean => formOf(head)._tag === 'regression' && head.row.ops.gaussianMoments === undefined;

/**
 * Throws `InvalidOption` for a head whose predictive has no closed form.
 *
 * @param what the function that needs one
 */
export function checkClosed(heads: ReadonlyArray<Head>, what: string): void {
  const drawn = heads.find(isDrawn);
  if (drawn === undefined) return;
  throw laplaceError('InvalidOption', {
    what: `${what} cannot judge the ${drawn.row.ops.name} likelihood`,
    field: 'likelihood',
    found: 'a likelihood whose linearised predictive has no closed form',
    expected: 'classes, labels, gaussian, heteroscedastic or poisson outputs',
    remedy: 'Compare priors by withPrior and predict on held-out data, with a score of your own.',
  });
}

/** Throws `InvalidOption` for a link that no head has a use for. */
export function checkLink(heads: ReadonlyArray<Head>, { link }: LinkOptions): void {
  const useful = (head: Head): boolean => formOf(head)._tag === 'classification' || (isDrawn(head) && linkRule(link).isDrawn);
  if (link === DEFAULT_LINK || heads.some(useful)) return;
  const names = [...new Set(heads.map(({ row }) => row.ops.name))];
  throw laplaceError('InvalidOption', {
    what: `The ${names.join(' and ')} likelihood has no use for a link`,
    field: 'predictive.link',
    found: `'${nameOf(link)}'`,
    expected: `'${DEFAULT_LINK}', the default${heads.some(isDrawn) ? ", or 'monteCarlo'" : ''}`,
    remedy: 'Links are for the probabilities of classes. Leave the link out.',
  });
}

/** The report of a head with outputs f ~ N(mean, covariance). */
async function reportGaussian(
  head: Head,
  mean: Float32Array,
  covariance: Float32Array,
  options: LinkOptions,
): Promise<OutputPrediction> {
  const closed = reportLinearised(head, mean, covariance, options);
  if (closed !== undefined) return closed;
  const C = head.row.outputs;
  const draws = drawsOf(mean, covariance, C, options);
  const f = tf.tensor2d(draws, [draws.length / C, C]);
  try {
    const { values } = await inPieces([f], MOST_ROWS, ([piece]) => ({ values: networkMoments(head, piece as tf.Tensor2D) }));
    return reportSamples(head, values, options.samples, values.length / f.shape[0], 'antithetic');
  } finally {
    f.dispose();
  }
}
