/** The linearised outputs of batches of any size within a memory budget: cut into pieces, each downloaded at once. */
import type * as tf from '@tensorflow/tfjs-core';
import { costsByShape } from '../../network/costs.js';
import type { Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import type { Want } from '../device/costs.js';
import { type DevicePosterior, posteriorOnDemand, uploadPosterior } from '../device/device.js';
import { inPieces } from '../device/pieces.js';
import { checkBudget, linearisedPlan } from '../device/plans.js';
import { linearised, type OutputDistribution } from './linearised.js';

/** Runs batches; the caller disposes it. */
export interface LinearisedPieces {
  /** Calls `f` with each piece's outputs and joins the tensors [B, …] that it returns over the batch. */
  readonly run: <K extends string>(
    x: ReadonlyArray<tf.Tensor>,
    f: (outputs: OutputDistribution) => Record<K, tf.Tensor>,
  ) => Promise<Record<K, Float32Array>>;
  readonly dispose: () => void;
}

/** Throws an `InvalidOption` for a budget that is no size; the first batch shows whether the budget is too small for the model. */
export function linearisedPieces(
  network: Network,
  posterior: Posterior,
  temperature: number,
  want: Want,
  memoryBudget: number,
): LinearisedPieces {
  checkBudget(memoryBudget);
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
      if (plan.resident) resident ??= uploadPosterior(network, posterior, temperature);
      else free();
      const device = resident ?? onDemand;
      return inPieces(x, plan.examples, (piece) => f(linearised(network, device, piece, want, plan)));
    },
    dispose: free,
  };
}
