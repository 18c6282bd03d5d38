/** Predictives that average drawn networks, or draws of pre-activations. */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import { forward } from '../network/forward.js';
import type { Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import { foldIn, key } from '../random/key.js';
import { sampledActivations } from './activationSampling.js';
import type { PredictiveOf } from './codec.js';
import { uploadPosterior } from './device.js';
import { ofHeads, predicted } from './heads.js';
import { inPieces } from './pieces.js';
import type { Prediction, Predictor } from './prediction.js';
import { reportSamples, rowOf } from './report.js';
import { disposeWeights, drawWeights, type SampledWeights, sampledNetwork } from './weightSampling.js';

/** The most rows that go through the network at once; larger batches are cut. Only activation sampling draws other noise for it. */
const MAX_ROWS = 8192;
/** Drawn networks are kept for the next batch up to this many numbers (1 GiB); beyond, they are drawn anew from the same key. */
const KEPT_NUMBERS = 2 ** 28;

/** Uploads the posterior; the caller disposes the predictor. Throws an `InvalidOption` for a variance of a single sample. */
export function samplingPredictor(
  network: Network,
  posterior: Posterior,
  predictive: PredictiveOf<'activationSampling' | 'weightSampling'>,
): Predictor {
  if (predictive.samples < 2 && network.heads.some(({ ops }) => ops.variance !== undefined)) {
    throw laplaceError('InvalidOption', {
      what: 'A variance needs at least two samples',
      field: 'predictive.samples',
      found: String(predictive.samples),
      expected: 'an integer >= 2 for a regression',
    });
  }
  const device = uploadPosterior(network, posterior, predictive.temperature);
  const root = key(predictive.seed);
  switch (predictive._tag) {
    case 'activationSampling':
      return {
        predict: (x, index) =>
          sampled(network, x, predictive.samples, (s, piece, part) => {
            const own = foldIn(foldIn(foldIn(root, s), index), part);
            return tf.tidy(() => forward(network, piece, sampledActivations(device, own)).outputs);
          }),
        dispose: device.dispose,
      };
    case 'weightSampling': {
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
