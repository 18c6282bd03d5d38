/**
 * The predictives that average drawn networks, or draws of pre-activations. Each draw is added to running sums on the host, until
 * there are enough draws. There is one download for each draw and piece. Layers below the lowest covered layer are computed once
 * for each batch, as far as memory allows.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { costsByShape } from '../../network/costs.js';
import { forwardFrom, type LinearRule } from '../../network/forward.js';
import type { Head, Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import { key } from '../../random/key.js';
import { type Design, noiseAt, noiseOf } from '../../random/noise.js';
import type { PredictiveOf } from '../codec.js';
import { type DevicePosterior, residentPosterior } from '../device/device.js';
import { drawsPlan, sampledPlan } from '../device/plans.js';
import type { Prediction, Running, RunningPredictor } from '../prediction.js';
import { ofHeads } from '../report/heads.js';
import { type SampleFold, sampleFold } from '../report/report.js';
import { maySettle } from '../report/runningMean.js';
import { checkSamples, fewestSamples } from '../report/samples.js';
import { fixedMoments, sampledActivations } from './activationSampling.js';
import { type Fixed, type SampledBatch, sampledBatch } from './sampledBatch.js';
import { disposeWeights, drawWeights, type SampledWeights, sampledNetwork } from './weightSampling.js';

type Sampling = PredictiveOf<'activationSampling' | 'weightSampling'>;

/** One of the two ways to draw: networks, or pre-activations. */
interface Sampler {
  /** Prepares a batch for draws. */
  readonly open: (x: ReadonlyArray<tf.Tensor>) => SampledBatch;
  /** Makes draw number s for batch number `index`. */
  readonly draw: (s: number, index: number) => Draw;
  readonly dispose: () => void;
}

/** One draw. `rule` tells how the layers of piece number `part` run, and `release` frees the draw. */
interface Draw {
  readonly rule: (piece: Fixed, part: number) => LinearRule;
  readonly release: () => void;
}

/**
 * Uploads the posterior. The caller disposes the predictor.
 *
 * @param memoryBudget in bytes
 * @throws LaplaceError `InvalidOption` if the samples are too few for a variance
 */
export function samplingPredictor(
  network: Network,
  posterior: Posterior,
  predictive: Sampling,
  memoryBudget: number,
): RunningPredictor {
  checkSamples(network, predictive);
  const device = residentPosterior(network, posterior, predictive.temperature);
  const sampler = (predictive._tag === 'activationSampling' ? activations : weights)(network, device, predictive, memoryBudget);
  return {
    run: (x, index) => states(network, predictive, sampler, x, index),
    dispose: () => {
      sampler.dispose();
      device.dispose();
    },
  };
}

/** Draws pre-activations. Every batch and every piece has its own noise. */
function activations(network: Network, device: DevicePosterior, { design, seed }: Sampling, memoryBudget: number): Sampler {
  const costs = costsByShape(network);
  return {
    open: (x) => sampledBatch(network, x, (own) => fixedMoments(device, own), sampledPlan(costs(x), memoryBudget)),
    draw: (s, index) => {
      const noise = noiseAt(noiseOf(design, key(seed), s), index);
      return { rule: ({ moments }, part) => sampledActivations(device, noiseAt(noise, part), moments), release: () => {} };
    },
    dispose: () => {},
  };
}

/**
 * Draws networks, the same for all batches. Networks are kept up to half of the budget. Further ones are drawn again from the
 * same noise.
 */
function weights(network: Network, device: DevicePosterior, { design, seed }: Sampling, memoryBudget: number): Sampler {
  const numbers = network.blocks.reduce((sum, b) => sum + b.groups * b.n * b.m, 0);
  const budget = drawsPlan(memoryBudget);
  const costs = costsByShape(network);
  const kept = new Map<number, SampledWeights>();
  return {
    open: (x) => sampledBatch(network, x, () => new Map(), sampledPlan(costs(x), budget.left)),
    draw: (s) => {
      const draw = kept.get(s) ?? drawWeights(device, noiseOf(design, key(seed), s));
      const keep = kept.has(s) || (kept.size + 1) * numbers <= budget.kept;
      if (keep) kept.set(s, draw);
      const rule = sampledNetwork(draw);
      return { rule: () => rule, release: keep ? () => {} : () => disposeWeights(draw) };
    },
    dispose: () => {
      for (const draw of kept.values()) disposeWeights(draw);
    },
  };
}

/** Predicts one batch draw by draw. It stops after `samples` draws, or when the standard error reaches its target. */
async function* states(
  network: Network,
  { design, samples: most, standardError: target }: Sampling,
  sampler: Sampler,
  x: ReadonlyArray<tf.Tensor>,
  index: number,
): AsyncGenerator<Running, void> {
  const { heads } = network;
  const batch = sampler.open(x);
  const folds: SampleFold[] = [];
  const fewest = fewestSamples(network, design);
  const standardError = (): number => Math.max(...folds.map((fold) => fold.standardError()));
  const report = (): Promise<Prediction> => ofHeads(network, (_, i) => (folds[i] as SampleFold).report());
  try {
    for (let samples = 1, done = false; !done; samples++) {
      const { rule, release } = sampler.draw(samples - 1, index);
      const drawn = await batch
        .draw((piece, part) => forwardFrom(network, piece.features, rule(piece, part)).outputs)
        .finally(release);
      drawn.forEach((values, i) => {
        folds[i] ??= foldOf(heads[i] as Head, values, x[0]?.shape[0] as number, design);
        folds[i].add(values);
      });
      const precise = target !== undefined && maySettle(design, samples) && standardError() <= target;
      done = precise || samples === most;
      yield { samples, most, standardError, done, report: samples < fewest ? undefined : report };
    }
  } finally {
    batch.dispose();
  }
}

/** Creates the running sums for a head and B examples. `values` is the head's first draw, from which the sizes are taken. */
function foldOf(head: Head, values: Float32Array, B: number, design: Design): SampleFold {
  const rows = (B * head.outputs) / head.row.outputs;
  return sampleFold(head, design, rows, values.length / rows);
}
