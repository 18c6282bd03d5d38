/**
 * Draws the outputs of a network under a posterior, draw by draw, by the noise of its pre-activations or of its weights. Layers below the
 * lowest covered layer are computed once for each batch, as far as memory allows.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { costsByShape } from '../../network/costs.js';
import { forwardFrom, type LinearRule } from '../../network/forward.js';
import type { Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import { key } from '../../random/key.js';
import { noiseAt, noiseOf } from '../../random/noise.js';
import type { PredictiveOf } from '../codec.js';
import { type DevicePosterior, residentPosterior } from '../device/device.js';
import { drawsPlan, sampledPlan } from '../device/plans.js';
import { fixedMoments, sampledActivations } from './activationSampling.js';
import { type Fixed, type Readout, type SampledBatch, sampledBatch } from './sampledBatch.js';
import { disposeWeights, drawWeights, type SampledWeights, sampledNetwork } from './weightSampling.js';

/** The predictives that draw networks one after another. */
export type Sampling = PredictiveOf<'activationSampling' | 'weightSampling'>;

/** Draws networks. The caller disposes it. */
export interface Sampler {
  /** Prepares batch number `index`. What `read` makes of the outputs is downloaded. */
  readonly open: (x: ReadonlyArray<tf.Tensor>, index: number, read: Readout) => OpenBatch;
  readonly dispose: () => void;
}

/** A batch that draws are made for. The caller disposes it. */
export interface OpenBatch {
  /** What was read of draw number s: for every head its numbers. Rejects if an input is not finite. */
  readonly draw: (s: number) => Promise<ReadonlyArray<Float32Array>>;
  readonly dispose: () => void;
}

/**
 * Uploads the posterior.
 *
 * @param memoryBudget in bytes
 */
export function createSampler(network: Network, posterior: Posterior, predictive: Sampling, memoryBudget: number): Sampler {
  const device = residentPosterior(network, posterior, predictive.temperature);
  const { open, draw, dispose } = (predictive._tag === 'activationSampling' ? activations : weights)(
    network,
    device,
    predictive,
    memoryBudget,
  );
  return {
    open: (x, index, read) => {
      const batch = open(x, read);
      return {
        draw: (s) => {
          const { rule, release } = draw(s, index);
          return batch.draw((piece, part) => forwardFrom(network, piece.features, rule(piece, part)).outputs).finally(release);
        },
        dispose: batch.dispose,
      };
    },
    dispose: () => {
      dispose();
      device.dispose();
    },
  };
}

/** One of the two ways to draw: networks, or pre-activations. */
interface Way {
  /** Prepares a batch for draws. */
  readonly open: (x: ReadonlyArray<tf.Tensor>, read: Readout) => SampledBatch;
  /** Makes draw number s for batch number `index`. */
  readonly draw: (s: number, index: number) => Draw;
  readonly dispose: () => void;
}

/** One draw. `rule` tells how the layers of piece number `part` run, and `release` frees the draw. */
interface Draw {
  readonly rule: (piece: Fixed, part: number) => LinearRule;
  readonly release: () => void;
}

/** Draws pre-activations. Every batch and every piece has its own noise. */
function activations(network: Network, device: DevicePosterior, { design, seed }: Sampling, memoryBudget: number): Way {
  const costs = costsByShape(network);
  return {
    open: (x, read) => sampledBatch(network, x, (own) => fixedMoments(device, own), sampledPlan(costs(x), memoryBudget), read),
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
function weights(network: Network, device: DevicePosterior, { design, seed }: Sampling, memoryBudget: number): Way {
  const numbers = network.blocks.reduce((sum, b) => sum + b.groups * b.n * b.m, 0);
  const budget = drawsPlan(memoryBudget);
  const costs = costsByShape(network);
  const kept = new Map<number, SampledWeights>();
  return {
    open: (x, read) => sampledBatch(network, x, () => new Map(), sampledPlan(costs(x), budget.left), read),
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
