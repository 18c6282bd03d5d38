/**
 * Predictives that average drawn networks, or draws of pre-activations: draw after draw, each added to running sums on the host, until
 * there are enough. One download a draw. What lies below the lowest covered layer is computed once a batch.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { costsByShape } from '../../network/costs.js';
import { forwardFrom, type LinearRule } from '../../network/forward.js';
import type { Head, Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import { key } from '../../random/key.js';
import { type Draws, noiseAt, noiseOf } from '../../random/noise.js';
import type { PredictiveOf } from '../codec.js';
import { type DevicePosterior, uploadPosterior } from '../device/device.js';
import { checkBudget, drawsPlan, sampledPlan } from '../device/plans.js';
import type { Prediction, Running, RunningPredictor } from '../prediction.js';
import { ofHeads } from '../report/heads.js';
import { rowOf, type SampleFold, sampleFold } from '../report/report.js';
import { maySettle } from '../report/runningMean.js';
import { checkSamples, fewestSamples } from '../report/samples.js';
import { fixedMoments, sampledActivations } from './activationSampling.js';
import { type Fixed, type SampledBatch, sampledBatch } from './sampledBatch.js';
import { disposeWeights, drawWeights, type SampledWeights, sampledNetwork } from './weightSampling.js';

type Sampling = PredictiveOf<'activationSampling' | 'weightSampling'>;

/** One of the two ways of drawing. */
interface Sampler {
  readonly open: (x: ReadonlyArray<tf.Tensor>) => SampledBatch;
  /** Draw s for batch `index`: the rule of each of its pieces. */
  readonly draw: (s: number, index: number) => Draw;
  readonly dispose: () => void;
}

interface Draw {
  readonly rule: (piece: Fixed, part: number) => LinearRule;
  readonly release: () => void;
}

/** Uploads the posterior; the caller disposes the predictor. Throws an `InvalidOption` for a variance of too few samples. */
export function samplingPredictor(
  network: Network,
  posterior: Posterior,
  predictive: Sampling,
  memoryBudget: number,
): RunningPredictor {
  checkBudget(memoryBudget);
  checkSamples(network, predictive);
  const device = uploadPosterior(network, posterior, predictive.temperature);
  const sampler = (predictive._tag === 'activationSampling' ? activations : weights)(network, device, predictive, memoryBudget);
  return {
    run: (x, index) => states(network, predictive, sampler, x, index),
    dispose: () => {
      sampler.dispose();
      device.dispose();
    },
  };
}

/** Draws pre-activations, with noise of its own for every batch and piece. */
function activations(network: Network, device: DevicePosterior, { draws, seed }: Sampling, memoryBudget: number): Sampler {
  const costs = costsByShape(network);
  return {
    open: (x) => sampledBatch(network, x, (own) => fixedMoments(device, own), sampledPlan(costs(x), memoryBudget)),
    draw: (s, index) => {
      const noise = noiseAt(noiseOf(draws, key(seed), s), index);
      return { rule: ({ moments }, part) => sampledActivations(device, noiseAt(noise, part), moments), release: () => {} };
    },
    dispose: () => {},
  };
}

/** Draws networks, the same for all batches. Draws are kept up to half of the budget; beyond, they are drawn anew from the same noise. */
function weights(network: Network, device: DevicePosterior, { draws, seed }: Sampling, memoryBudget: number): Sampler {
  const numbers = network.blocks.reduce((sum, b) => sum + b.groups * b.n * b.m, 0);
  const budget = drawsPlan(memoryBudget);
  const costs = costsByShape(network);
  const kept = new Map<number, SampledWeights>();
  return {
    open: (x) => sampledBatch(network, x, () => new Map(), sampledPlan(costs(x), budget.left)),
    draw: (s) => {
      const draw = kept.get(s) ?? drawWeights(device, noiseOf(draws, key(seed), s));
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

/** One batch, draw by draw. */
async function* states(
  network: Network,
  { draws, samples: most, precision }: Sampling,
  sampler: Sampler,
  x: ReadonlyArray<tf.Tensor>,
  index: number,
): AsyncGenerator<Running, void> {
  const { heads } = network;
  const batch = sampler.open(x);
  const folds: SampleFold[] = [];
  const fewest = fewestSamples(network, draws);
  const standardError = (): number => Math.max(...folds.map((fold) => fold.standardError()));
  const report = (): Promise<Prediction> => ofHeads(network, (_, i) => (folds[i] as SampleFold).report());
  try {
    for (let samples = 1, done = false; !done; samples++) {
      const { rule, release } = sampler.draw(samples - 1, index);
      const drawn = await batch
        .draw((piece, part) => forwardFrom(network, piece.features, rule(piece, part)).outputs)
        .finally(release);
      drawn.forEach((values, i) => {
        folds[i] ??= foldOf(heads[i] as Head, values, x[0]?.shape[0] as number, draws);
        folds[i].add(values);
      });
      const precise = precision !== undefined && maySettle(draws, samples) && standardError() <= precision;
      done = precise || samples === most;
      yield { samples, most, standardError, done, report: samples < fewest ? undefined : report };
    }
  } finally {
    batch.dispose();
  }
}

/** For a head's draws of B examples, the first of which are given. */
function foldOf(head: Head, values: Float32Array, B: number, draws: Draws): SampleFold {
  const rows = (B * head.outputs) / rowOf(head).C;
  return sampleFold(head, draws, rows, values.length / rows);
}
