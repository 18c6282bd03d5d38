/** The linearised outputs of batches of any size within a memory budget: cut into pieces, each downloaded at once. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import { checkBudget, planner } from '../device/budget.js';
import { type DevicePosterior, posteriorOnDemand, residentPosterior } from '../device/device.js';
import { inPieces } from '../device/pieces.js';
import type { Want } from '../device/structure/structure.js';
import { linearised, type OutputDistribution } from './linearised.js';

/** Runs batches; the caller disposes it. */
export interface LinearisedPieces {
  /** What `f` makes of each piece's outputs, [B, …] each, joined over the batch. */
  readonly run: <K extends string>(
    x: ReadonlyArray<tf.Tensor>,
    f: (outputs: OutputDistribution) => Record<K, tf.Tensor>,
  ) => Promise<Record<K, Float32Array>>;
  readonly dispose: () => void;
}

/** Throws an `InvalidOption` for a budget that is no size; one that is too small for the model is found with the first batch. */
export function linearisedPieces(
  network: Network,
  posterior: Posterior,
  temperature: number,
  want: Want,
  memoryBudget: number,
): LinearisedPieces {
  checkBudget(memoryBudget);
  const plan = planner(network, posterior, want, memoryBudget);
  const onDemand = posteriorOnDemand(network, posterior, temperature);
  let resident: DevicePosterior | undefined;
  const free = (): void => {
    resident?.dispose();
    resident = undefined;
  };
  return {
    run: async (x, f) => {
      const chunks = plan(x);
      if (chunks.resident) resident ??= residentPosterior(network, posterior, temperature);
      else free();
      const device = resident ?? onDemand;
      return inPieces(x, chunks.examples, (piece) => f(linearised(network, device, piece, want, chunks)));
    },
    dispose: free,
  };
}
