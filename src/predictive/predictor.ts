/**
 * Predicts batch after batch with one upload of the posterior. The effect behind the `predict` operator and the promise form.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import { forward } from '../network/forward.js';
import type { Head, Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import { foldIn, key } from '../random/key.js';
import { sampledActivations } from './activationSampling.js';
import type { Predictive } from './codec.js';
import { uploadPosterior } from './device.js';
import { linearised } from './linearised.js';
import { inPieces } from './pieces.js';
import type { OutputPrediction, Prediction } from './prediction.js';
import { drawsOf, reportLinearised, reportSamples, rowOf } from './report.js';
import { disposeWeights, drawWeights, type SampledWeights, sampledNetwork } from './weightSampling.js';

/** Predicts batches of one network under one posterior. */
export interface Predictor {
  /** Prediction for one batch; `index` is the batch's number, which activation sampling draws by. */
  readonly predict: (x: ReadonlyArray<tf.Tensor>, index: number) => Promise<Prediction>;
  readonly dispose: () => void;
}

/** The most rows that go through the network at once; larger batches are cut. Only activation sampling draws other noise for it. */
const MAX_ROWS = 8192;
/** Drawn networks are kept for the next batch up to this many numbers (1 GiB); beyond, they are drawn anew from the same key. */
const KEPT_NUMBERS = 2 ** 28;
/** Up to this many classes the expected entropy uses the full covariance of the outputs, beyond it the variances alone. */
const FULL_COVARIANCE_CLASSES = 64;

/** Uploads the posterior; the caller disposes the predictor. Throws a `LaplaceError` on an option that does not fit. */
export function createPredictor(network: Network, posterior: Posterior, predictive: Predictive): Predictor {
  const { heads } = network;
  heads.forEach(checkMoments);
  if (predictive._tag !== 'linearised' && predictive.samples < 2 && heads.some(({ ops }) => ops.variance !== undefined)) {
    throw laplaceError('InvalidOption', {
      what: 'A variance needs at least two samples',
      field: 'predictive.samples',
      found: String(predictive.samples),
      expected: 'an integer >= 2 for a regression',
    });
  }
  const device = uploadPosterior(network, posterior, predictive.temperature);
  switch (predictive._tag) {
    case 'linearised': {
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
    case 'activationSampling': {
      const root = key(predictive.seed);
      return {
        predict: (x, index) =>
          sampled(network, x, predictive.samples, (s, piece, part) => {
            const own = foldIn(foldIn(foldIn(root, s), index), part);
            return tf.tidy(() => forward(network, piece, sampledActivations(device, own)).outputs);
          }),
        dispose: device.dispose,
      };
    }
    case 'weightSampling': {
      const root = key(predictive.seed);
      const numbers = network.blocks.reduce((sum, b) => sum + b.groups * b.n * b.m, 0);
      const kept = new Map<number, SampledWeights>();
      return {
        predict: (x) =>
          sampled(network, x, predictive.samples, (s, piece) => {
            const draw = kept.get(s) ?? drawWeights(device, foldIn(root, s));
            const keep = kept.has(s) || (kept.size + 1) * numbers <= KEPT_NUMBERS;
            if (keep) kept.set(s, draw);
            const { outputs } = forward(network, piece, sampledNetwork(draw));
            if (!keep) disposeWeights(draw);
            return outputs;
          }),
        dispose: () => {
          for (const draw of kept.values()) disposeWeights(draw);
          device.dispose();
        },
      };
    }
  }
}

/** Only a likelihood of one's own can lack them. */
function checkMoments(head: Head): void {
  const { likelihood } = rowOf(head);
  if (likelihood._tag !== 'custom') return;
  const missing = (['mean', 'variance'] as const).filter((name) => likelihood[name] === undefined);
  if (missing.length === 0) return;
  throw laplaceError('InvalidOption', {
    what: `Likelihood '${likelihood.name}' does not say what its outputs predict`,
    field: missing[0] as string,
    found: `no ${missing.join(' and no ')}`,
    expected: 'functions mean and variance, of the labels given the outputs',
    remedy: 'Give them to customLikelihood; for the outputs themselves use outputDistribution.',
  });
}

/** A report of each head: that of the only output, or all by name. */
async function ofHeads(
  { likelihood, heads }: Network,
  report: (head: Head, i: number) => OutputPrediction | Promise<OutputPrediction>,
): Promise<Prediction> {
  const reports = await Promise.all(heads.map(report));
  if (likelihood._tag !== 'perOutput') return reports[0] as OutputPrediction;
  return { _tag: 'several', outputs: Object.fromEntries(heads.map(({ name }, i) => [name, reports[i] as OutputPrediction])) };
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

/** What a network with outputs f predicts of every row of a head's report, [rows, P]: see `reportSamples`. */
function predicted(head: Head, f: tf.Tensor2D): tf.Tensor2D {
  const { mean, variance } = head.ops;
  const rows = f.size / rowOf(head).C;
  const parts = variance === undefined ? [mean(f)] : [mean(f), variance(f)];
  return tf.concat(
    parts.map((part) => tf.reshape(part, [rows, -1]) as tf.Tensor2D),
    1,
  );
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

/** Σ over samples, for every piece of the batch, of what the reports need. */
async function sampled(
  network: Network,
  x: ReadonlyArray<tf.Tensor>,
  samples: number,
  outputsOf: (sample: number, piece: ReadonlyArray<tf.Tensor>, part: number) => tf.Tensor2D,
): Promise<Prediction> {
  const { heads } = network;
  const B = x[0]?.shape[0] as number;
  let part = 0;
  const draws = await inPieces(x, MAX_ROWS, (piece) => {
    const drawn = Array.from({ length: samples }, (_, s) =>
      tf.tidy(() => {
        const f = outputsOf(s, piece, part);
        return heads.map((head) => predicted(head, tf.slice(f, [0, head.first], [-1, head.outputs])));
      }),
    );
    part += 1;
    const ofHead = (i: number): tf.Tensor =>
      tf.stack(
        drawn.map((values) => values[i] as tf.Tensor2D),
        1,
      );
    return Object.fromEntries(heads.map((_, i) => [`${i}`, ofHead(i)]));
  });
  return ofHeads(network, (head, i) => {
    const own = draws[`${i}`] as Float32Array;
    const rows = (B * head.outputs) / rowOf(head).C;
    return reportSamples(head, own, samples, own.length / (rows * samples));
  });
}
