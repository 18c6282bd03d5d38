/**
 * The outputs of many batches under many posteriors of one model and one curvature. The batches go through the network once. Their
 * Jacobians stay on the device if they fit into half of the memory budget, so that a further posterior costs only its share of the
 * spectrum. Otherwise the batches are read again for each group of posteriors.
 */
import * as tf from '@tensorflow/tfjs-core';
import { costsByShape } from '../../network/costs.js';
import { forward } from '../../network/forward.js';
import type { Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import { layerBytes, NUMBER } from '../device/costs.js';
import { type Forms, formsUnder, posteriorOnDemand, residentPosterior } from '../device/device.js';
import { downloadAll, inPieces, joined } from '../device/pieces.js';
import { linearisedPlan } from '../device/plans.js';
import type { Want } from '../device/structure/structure.js';
import { ownCovariance } from './headCovariance.js';
import { type KeptJacobians, keptJacobians, linearisedUnder, underForms } from './linearised.js';

/** At least one posterior. */
export type Posteriors = readonly [Posterior, ...Posterior[]];

/** For each posterior the covariance of each output of the model, as its report takes it, joined over all examples. */
export type Covariances = ReadonlyArray<ReadonlyArray<Float32Array>>;

/** Calls a function with the inputs and the number of each batch, one batch after another. */
export type EachBatch = (use: (x: ReadonlyArray<tf.Tensor>, index: number) => Promise<void>) => Promise<void>;

/** The outputs of many batches. The caller disposes it. */
export interface Candidates {
  /** Reads one of `batches` batches. Gives f* of each output of the model. Rejects with `NotFinite` for inputs that are not finite. */
  readonly read: (x: ReadonlyArray<tf.Tensor>) => Promise<ReadonlyArray<Float32Array>>;
  /** The covariances of all batches that were read. `again` reads them once more, if it has to be. */
  readonly under: (posteriors: Posteriors, again: EachBatch) => Promise<Covariances>;
  readonly dispose: () => void;
}

/**
 * Creates the outputs.
 *
 * @param posterior one of the posteriors
 * @param batches how many batches will be read
 * @param memoryBudget in bytes. A budget that is too small for the model fails with the first batch (`InvalidOption`).
 */
export function createCandidates(
  network: Network,
  posterior: Posterior,
  batches: number,
  want: Want,
  memoryBudget: number,
): Candidates {
  const { heads, outputs: C } = network;
  const costs = costsByShape(network);
  const planned = (x: ReadonlyArray<tf.Tensor>, posteriors: number) =>
    linearisedPlan(network, posterior, costs(x), want, memoryBudget / 2, posteriors);
  const copies = posterior.layers.map((layer) => layerBytes(layer, want));
  const upload = copies.reduce((a, b) => a + b, 0) <= memoryBudget / 4 ? residentPosterior : posteriorOnDemand;
  const device = upload(network, posterior, 1);
  // As many posteriors share a pass as find room for one layer's variances in a quarter of the budget, and for their results.
  let together = Math.max(1, Math.floor(memoryBudget / 4 / Math.max(...copies)));
  let kept: KeptJacobians[] | undefined = [];
  /** The numbers of what is kept, and how many examples it has; and the batches that were read. */
  let [numbers, examples, read] = [0, 0, 0];
  const free = (): void => {
    for (const own of kept ?? []) own.dispose();
    kept = undefined;
  };
  const ofHeads = (covariances: tf.Tensor): ReadonlyArray<tf.Tensor> =>
    tf.unstack(covariances).flatMap((own) => heads.map((head) => ownCovariance(head, own)));
  const means = (f: tf.Tensor2D): ReadonlyArray<tf.Tensor> =>
    heads.map(({ first, outputs }) => tf.slice(f, [0, first], [-1, outputs]));

  return {
    read: async (x) => {
      const plan = planned(x, 1);
      while (together > 1 && Number.isFinite(together) && !fits(() => planned(x, together))) together = Math.floor(together / 2);
      if (plan.outputs < C) free();
      const B = x[0]?.shape[0] as number;
      const before = examples;
      const found = await inPieces(x, plan.examples, (piece) => {
        if (kept === undefined) return { means: means(forward(network, piece).outputs) };
        const own = keptJacobians(network, device, piece, want, plan.numbers);
        kept.push(own);
        numbers += own.numbers;
        examples += own.mean.shape[0];
        const ofPiece = means(own.mean);
        // The batches that are still to come are taken to be as large as those so far.
        const expected = ((batches / (read + 1)) * (before + B)) / examples;
        if (expected * NUMBER * numbers > memoryBudget / 2) free();
        return { means: ofPiece };
      });
      read += 1;
      return found.means;
    },
    under: async (posteriors, again) => {
      const found: ReadonlyArray<Float32Array>[] = [];
      for (let first = 0; first < posteriors.length; first += together) {
        const group = posteriors.slice(first, first + together) as unknown as Posteriors;
        found.push(...(await ofGroup(group, formsUnder(device, group, 1), again)));
      }
      return found;
    },
    dispose: () => {
      free();
      device.dispose();
    },
  };

  /** The batches in runs whose results under K posteriors take at most an eighth of the budget. */
  function runsOf(all: ReadonlyArray<KeptJacobians>, K: number): ReadonlyArray<ReadonlyArray<KeptJacobians>> {
    // A sum, and the part that is added.
    const most = memoryBudget / 8 / (2 * NUMBER * K * (want === 'variance' ? C : C * C));
    const runs: KeptJacobians[][] = [];
    let left = 0;
    for (const own of all) {
      const B = own.mean.shape[0];
      if (left < B || runs.length === 0) {
        runs.push([]);
        left = most;
      }
      (runs.at(-1) as KeptJacobians[]).push(own);
      left -= B;
    }
    return runs;
  }

  async function ofGroup({ length: K }: Posteriors, forms: Forms, again: EachBatch): Promise<Covariances> {
    const parts: ReadonlyArray<Float32Array>[] = [];
    if (kept === undefined) {
      await again(async (x) => {
        const plan = planned(x, K);
        const of = (piece: ReadonlyArray<tf.Tensor>) =>
          ofHeads(linearisedUnder(network, device, forms, piece, want, plan).covariances);
        parts.push((await inPieces(x, plan.examples, (piece) => ({ own: of(piece) }))).own);
      });
    } else {
      for (const run of runsOf(kept, K)) {
        parts.push(...(await downloadLists(tf.tidy(() => underForms(run, forms).map((own) => [...ofHeads(own)])))));
      }
    }
    return Array.from({ length: K }, (_, k) =>
      heads.map((__, h) => joined(parts.map((part) => part[k * heads.length + h] as Float32Array))),
    );
  }
}

/** Downloads lists of tensors together, and frees them. */
async function downloadLists(lists: tf.Tensor[][]): Promise<ReadonlyArray<ReadonlyArray<Float32Array>>> {
  const found = await downloadAll(Object.fromEntries(lists.entries()));
  return lists.map((_, i) => found[i] as unknown as ReadonlyArray<Float32Array>);
}

/** Whether a plan can be made within its budget. */
function fits(plan: () => unknown): boolean {
  try {
    plan();
    return true;
  } catch {
    return false;
  }
}
