/** What is uncertain about held-out outputs under any posteriors: their covariances for the linearised predictive, draws for the others. */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import { costsByShape } from '../network/costs.js';
import { forward } from '../network/forward.js';
import type { Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Predictive } from '../predictive/codec.js';
import { inPieces, joined } from '../predictive/device/pieces.js';
import { sampledPlan } from '../predictive/device/plans.js';
import { type DrawnPredictive, type Draws, drawnOutputs } from '../predictive/drawn.js';
import { createCandidates, type EachBatch, type Posteriors } from '../predictive/linearised/candidates.js';
import { isJoint } from '../predictive/linearised/headCovariance.js';
import { linkRule } from '../predictive/links/index.js';
import type { Uncertainty } from '../tuning/held.js';

/** A predictive as it is. Throws `InvalidOption` for the temperature 0, where nothing is uncertain. */
export function spreading(predictive: Predictive): Predictive {
  if (predictive.temperature > 0) return predictive;
  throw laplaceError('InvalidOption', {
    what: 'At the temperature 0 every posterior predicts as the trained network does',
    field: 'predictive.temperature',
    found: '0',
    expected: 'a number > 0, the default is 1',
  });
}

/** A posterior, and by how much its covariance is multiplied. */
export interface Wanted {
  readonly posterior: Posterior;
  readonly spread: number;
}

/** The outputs of many batches. The caller disposes them. */
export interface Uncertain {
  /** Reads one batch. Gives f* of each output of the model. Rejects with `NotFinite` for inputs that are not finite. */
  readonly read: (x: ReadonlyArray<tf.Tensor>) => Promise<ReadonlyArray<Float32Array>>;
  /**
   * For each candidate what is uncertain about each output, for all batches that were read. `again` reads them once more, if it has to be.
   */
  readonly under: (wanted: ReadonlyArray<Wanted>, again: EachBatch) => AsyncGenerator<ReadonlyArray<Uncertainty>, void>;
  /** Whether f − f* goes with the square root of the spread, so that no other spread has to be asked for. */
  readonly isLinear: boolean;
  readonly dispose: () => void;
}

/**
 * Prepares for batches.
 *
 * @param batches how many batches will be read
 * @param posterior one of the posteriors that will be asked for
 * @param memoryBudget in bytes
 */
export const uncertain = (
  network: Network,
  batches: number,
  posterior: Posterior,
  predictive: Predictive,
  memoryBudget: number,
): Uncertain =>
  predictive._tag === 'linearised'
    ? covariances(network, batches, posterior, predictive, memoryBudget)
    : draws(network, predictive, memoryBudget);

function covariances(
  network: Network,
  batches: number,
  posterior: Posterior,
  { link }: Extract<Predictive, { readonly _tag: 'linearised' }>,
  memoryBudget: number,
): Uncertain {
  // A link with logits takes variances alone, and so do outputs that do not depend on each other.
  const want = linkRule(link).logits === undefined && network.heads.some(isJoint) ? 'covariance' : 'variance';
  const { read, under, dispose } = createCandidates(network, posterior, batches, want, memoryBudget);
  return {
    read,
    async *under(wanted, again) {
      const found = await under(wanted.map((own) => own.posterior) as unknown as Posteriors, again);
      for (const own of found) yield own.map((values) => ({ _tag: 'covariance', values }));
    },
    isLinear: true,
    dispose,
  };
}

function draws(network: Network, predictive: DrawnPredictive, memoryBudget: number): Uncertain {
  const { heads } = network;
  const costs = costsByShape(network);
  const drawn = async ({ posterior, spread }: Wanted, again: EachBatch): Promise<ReadonlyArray<Uncertainty>> => {
    const outputs = drawnOutputs(network, posterior, { ...predictive, temperature: spread }, memoryBudget);
    const parts: Draws[] = [];
    try {
      await again(async (x, index) => void parts.push(await outputs.at(x, index)));
    } finally {
      outputs.dispose();
    }
    return heads.map((_, h) => ({
      _tag: 'draws',
      draws: Array.from({ length: predictive.samples }, (__, s) => joined(parts.map((part) => part[h]?.[s] as Float32Array))),
      spread,
      design: predictive.design,
    }));
  };
  return {
    read: async (x) => {
      const { means } = await inPieces(x, sampledPlan(costs(x), memoryBudget).examples, (piece) => {
        const f = forward(network, piece).outputs;
        return { means: heads.map(({ first, outputs }) => tf.slice(f, [0, first], [-1, outputs])) };
      });
      return means;
    },
    async *under(wanted, again) {
      for (const own of wanted) yield await drawn(own, again);
    },
    isLinear: predictive._tag === 'functionSampling',
    dispose: () => {},
  };
}
