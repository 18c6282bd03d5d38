/**
 * Predicts batch after batch with one upload of the posterior. The effect behind the `predict` operator and the promise form.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../errors.js';
import { fromDevice } from '../network/device.js';
import { forward } from '../network/forward.js';
import type { Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import { foldIn, key } from '../random/key.js';
import { sampledActivations } from './activationSampling.js';
import type { Predictive } from './codec.js';
import { uploadPosterior } from './device.js';
import { linearised } from './linearised.js';
import type { Prediction } from './prediction.js';
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
  const { likelihood } = rowOf(network);
  checkMoments(network);
  if (predictive._tag !== 'linearised' && predictive.samples < 2 && network.likelihoodOps.variance !== undefined) {
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
      // Independent outputs need no covariance, nor do a sequence's steps, each of which is reported by itself.
      const joint = network.likelihood._tag === 'categorical' || network.likelihood._tag === 'custom';
      const want = joint && network.outputs <= FULL_COVARIANCE_CLASSES ? 'covariance' : 'variance';
      const step = Math.max(1, Math.floor(MAX_ROWS / network.outputs));
      return {
        predict: async (x) => {
          const { mean, covariance } = await inPieces(x, step, (piece) => {
            const { mean: f, covariance: cov } = linearised(network, device, piece, want);
            return { mean: f, covariance: tf.reshape(cov, [f.shape[0], -1]) };
          });
          return likelihood._tag === 'custom'
            ? reportDraws(network, drawsOf(mean, covariance, rowOf(network).C))
            : reportLinearised(network, mean, covariance);
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
function checkMoments(network: Network): void {
  const { likelihood } = rowOf(network);
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

/** What a network with outputs f predicts of every row of the report, [rows, P]: see `reportSamples`. */
function predicted(network: Network, f: tf.Tensor2D): tf.Tensor2D {
  const { mean, variance } = network.likelihoodOps;
  const rows = f.size / rowOf(network).C;
  const parts = variance === undefined ? [mean(f)] : [mean(f), variance(f)];
  return tf.concat(
    parts.map((part) => tf.reshape(part, [rows, -1]) as tf.Tensor2D),
    1,
  );
}

/** Report of draws of the outputs of every row. */
async function reportDraws(network: Network, { draws, samples }: ReturnType<typeof drawsOf>): Promise<Prediction> {
  const { C } = rowOf(network);
  const f = tf.tensor2d(draws, [draws.length / C, C]);
  try {
    const { values } = await inPieces([f], MAX_ROWS, ([piece]) => ({ values: predicted(network, piece as tf.Tensor2D) }));
    return reportSamples(network, values, samples, values.length / f.shape[0]);
  } finally {
    f.dispose();
  }
}

/** Σ over samples, for every piece of the batch, of what the report needs. */
async function sampled(
  network: Network,
  x: ReadonlyArray<tf.Tensor>,
  samples: number,
  outputsOf: (sample: number, piece: ReadonlyArray<tf.Tensor>, part: number) => tf.Tensor2D,
): Promise<Prediction> {
  let part = 0;
  const outputs = await inPieces(x, MAX_ROWS, (piece) => {
    const draws = Array.from({ length: samples }, (_, s) => tf.tidy(() => predicted(network, outputsOf(s, piece, part))));
    part += 1;
    return { draws: tf.stack(draws, 1) };
  });
  const rows = ((x[0]?.shape[0] as number) * network.outputs) / rowOf(network).C;
  return reportSamples(network, outputs.draws, samples, outputs.draws.length / (rows * samples));
}

/** Runs `f` on pieces of at most `step` examples and joins what it returns, downloaded once a piece: [B, …] each. */
async function inPieces<K extends string>(
  x: ReadonlyArray<tf.Tensor>,
  step: number,
  f: (piece: ReadonlyArray<tf.Tensor>) => Record<K, tf.Tensor>,
): Promise<Record<K, Float32Array>> {
  const B = x[0]?.shape[0] as number;
  const parts: Array<Record<K, Float32Array>> = [];
  for (let start = 0; start < B; start += step) {
    const size = Math.min(step, B - start);
    const piece = (t: tf.Tensor): tf.Tensor =>
      size === B ? t : tf.slice(t, [start, ...new Array<number>(t.rank - 1).fill(0)], [size, ...t.shape.slice(1)]);
    const results = tf.tidy(() => {
      const pieces = x.map(piece);
      return { ...f(pieces), finite: allFinite(pieces) } as tf.NamedTensorMap;
    }) as Record<K | 'finite', tf.Tensor>;
    const { finite, ...values } = await downloadAll(results);
    if (finite[0] === 0) throw notFinite();
    parts.push(values as Record<K, Float32Array>);
  }
  const names = Object.keys(parts[0] as object) as K[];
  return Object.fromEntries(names.map((name) => [name, joined(parts.map((p) => p[name]))])) as Record<K, Float32Array>;
}

/** Scalar: 1 when every input is a finite number. Looked at here, as activations can hide it: WASM's relu(NaN) is 0. */
const allFinite = (tensors: ReadonlyArray<tf.Tensor>): tf.Tensor =>
  tensors
    .filter((t) => t.dtype === 'float32')
    .map((t) => tf.cast(tf.all(tf.isFinite(t)), 'float32'))
    .reduce((a, b) => tf.mul(a, b), tf.scalar(1));

const notFinite = (): LaplaceError =>
  laplaceError('NotFinite', {
    what: 'The inputs hold a number that is not finite',
    field: 'x',
    found: 'NaN or Infinity',
    expected: 'finite numbers',
  });

async function downloadAll<K extends string>(tensors: Record<K, tf.Tensor>): Promise<Record<K, Float32Array>> {
  try {
    const entries = Object.entries<tf.Tensor>(tensors);
    const values = await fromDevice(Promise.all(entries.map(([, t]) => t.data())));
    return Object.fromEntries(entries.map(([name], i) => [name, values[i]])) as Record<K, Float32Array>;
  } finally {
    tf.dispose(tensors as tf.NamedTensorMap);
  }
}

function joined(parts: ReadonlyArray<Float32Array>): Float32Array {
  if (parts.length === 1) return parts[0] as Float32Array;
  const all = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let offset = 0;
  for (const p of parts) {
    all.set(p, offset);
    offset += p.length;
  }
  return all;
}
