/**
 * The linearised outputs of batches of any size within a memory budget. Batches are cut into pieces, with one download for each
 * piece.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { costsByShape } from '../../network/costs.js';
import type { Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import { type DevicePosterior, posteriorOnDemand, residentPosterior } from '../device/device.js';
import { inPieces, type OnHost, type Results } from '../device/pieces.js';
import { linearisedPlan } from '../device/plans.js';
import type { Want } from '../device/structure/structure.js';
import { linearised, type OutputDistribution } from './linearised.js';

/** Computes linearised outputs batch by batch. The caller disposes it. */
export interface LinearisedPieces {
  /** Applies `f` to the distribution of each piece's outputs. Returns its results, each tensor [B, …] joined over the batch. */
  readonly run: <R extends Results>(x: ReadonlyArray<tf.Tensor>, f: (outputs: OutputDistribution) => R) => Promise<OnHost<R>>;
  readonly dispose: () => void;
}

/**
 * Creates the computation for one posterior.
 *
 * @param memoryBudget in bytes. A budget that is too small for the model fails with the first batch (`InvalidOption`).
 */
export function linearisedPieces(
  network: Network,
  posterior: Posterior,
  temperature: number,
  want: Want,
  memoryBudget: number,
): LinearisedPieces {
  const costs = costsByShape(network);
  const onDemand = posteriorOnDemand(network, posterior, temperature);
  let resident: DevicePosterior | undefined;
  const free = (): void => {
    resident?.dispose();
    resident = undefined;
  };
  return {
    run: async (x, f) => {
      const plan = linearisedPlan(network, posterior, costs(x), want, memoryBudget);
      if (plan.resident) resident ??= residentPosterior(network, posterior, temperature);
      else free();
      const device = resident ?? onDemand;
      return inPieces(x, plan.examples, (piece) => f(linearised(network, device, piece, want, plan)));
    },
    dispose: free,
  };
}
