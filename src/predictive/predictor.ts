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
import { reportLinearised, reportSamples } from './report.js';
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
  if (predictive._tag !== 'linearised' && predictive.samples < 2 && network.likelihood._tag === 'gaussian') {
    throw laplaceError('InvalidOption', {
      what: 'A variance needs at least two samples',
      field: 'predictive.samples',
      found: String(predictive.samples),
      expected: 'an integer >= 2 for a Gaussian likelihood',
    });
  }
  const device = uploadPosterior(network, posterior, predictive.temperature);
  switch (predictive._tag) {
    case 'linearised': {
      const classes = network.likelihood._tag === 'categorical' && network.outputs <= FULL_COVARIANCE_CLASSES;
      const want = classes ? 'covariance' : 'variance';
      const step = Math.max(1, Math.floor(MAX_ROWS / network.outputs));
      return {
        predict: async (x) => {
          const { mean, covariance } = await inPieces(x, step, (piece) => {
            const { mean: f, covariance: cov } = linearised(network, device, piece, want);
            return { mean: f, covariance: tf.reshape(cov, [f.shape[0], -1]) };
          });
          return reportLinearised(network, mean, covariance);
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
            return forward(network, piece, sampledActivations(device, own)).outputs;
          }),
        dispose: device.dispose,
      };
    }
    case 'weightSampling': {
      const root = key(predictive.seed);
      const numbers = network.blocks.reduce((sum, b) => sum + b.n * b.m, 0);
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

/** Σ over samples, for every piece of the batch, of what the report needs. */
async function sampled(
  network: Network,
  x: ReadonlyArray<tf.Tensor>,
  samples: number,
  outputsOf: (sample: number, piece: ReadonlyArray<tf.Tensor>, part: number) => tf.Tensor2D,
): Promise<Prediction> {
  let part = 0;
  const outputs = await inPieces(x, MAX_ROWS, (piece) => {
    const draws = Array.from({ length: samples }, (_, s) => tf.tidy(() => network.likelihoodOps.mean(outputsOf(s, piece, part))));
    part += 1;
    return { draws: tf.stack(draws, 1) };
  });
  return reportSamples(network, outputs.draws, samples);
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
