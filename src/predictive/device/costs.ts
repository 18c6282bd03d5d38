/**
 * What a posterior takes on the device, and what the linearised predictive makes of it for one example and one output. Counted in
 * numbers; the counts of the network itself come from `network/costs.ts`.
 */
import { LAYER_CHUNK, SQUARES_CHUNK } from '../../limits.js';
import type { BlockCosts, NetworkCosts } from '../../network/costs.js';
import { lastLayer } from '../../network/lastLayer.js';
import type { Block, Network } from '../../network/network.js';
import type { Posterior, PosteriorLayer } from '../../posterior/posterior.js';

/** Bytes of a number on the device. */
export const NUMBER = 4;

/** The covariances of an example's outputs, or their variances alone. */
export type Want = 'covariance' | 'variance';

/** Bytes of one layer's device copies while they are made and used. */
export function layerBytes({ groups, n, m, input, gradient, lowRank }: PosteriorLayer, want: Want): number {
  const vectors = (input.vectors?.data.length ?? 0) + (gradient.vectors?.data.length ?? 0);
  const r = lowRank?.values.length ?? 0;
  // The variances, and two steps towards them.
  return NUMBER * (vectors + 3 * groups * n * m + (r === 0 ? 0 : lowRankNumbers(n, m, r, want)));
}

/** A low rank's factor in three forms, a root for each row of W (also transposed), and the chunks in which rows are turned by them. */
function lowRankNumbers(n: number, m: number, r: number, want: Want): number {
  const row = m * (want === 'covariance' ? Math.max(m, r) : r);
  const chunk = Math.max(row, Math.min(n * row, LAYER_CHUNK));
  return 3 * m * r + 2 * n * r * r + (want === 'covariance' ? 4 : 2) * chunk;
}

/** Numbers of the linearised predictive, at most. */
export interface LinearisedCosts {
  /** Each example, whatever the outputs: the values that the forward pass keeps, and one layer's inputs and what is made of them. */
  readonly example: number;
  /** Each output of each example: gradients on their way back, and what one layer makes of them. */
  readonly row: number;
  /** Each output: weight gradients of one example in the layer that has most of them, the fewest that are made at once. */
  readonly weights: number;
}

export function linearisedCosts(network: Network, posterior: Posterior, costs: NetworkCosts, want: Want): LinearisedCosts {
  const full = posterior.layers.find(({ members }) => members !== undefined);
  const last = full === undefined ? lastLayer(network) : undefined;
  if (last !== undefined) return { example: costs.values + lastCost(last, want), row: 0, weights: 0 };
  const blocks = [...costs.blocks].map(([block, own]) => blockCost(block, own, full?.n, want));
  const largest = (f: (cost: LinearisedCosts) => number): number => Math.max(0, ...blocks.map(f));
  return {
    example: costs.values + largest((c) => c.example),
    row: costs.back + largest((c) => c.row),
    weights: largest((c) => c.weights),
  };
}

/** When only the last layer is covered (`lastLayer.ts`), nothing goes back. */
function lastCost({ n, m }: Block, want: Want): number {
  // Inputs, rotated and squared; variances along directions and of outputs, and their transposes; a chunk of U_G² or of U_G diag(q).
  return 4 * n + 6 * m + (want === 'variance' ? Math.min(2 * m * m, 2 * SQUARES_CHUNK) : 2 * m * m);
}

/** One block; `joint` is the number of weights that have one covariance (`full`). */
function blockCost(
  { groups, structure }: Block,
  { places, outputs, unfolded, oneHot, weights }: BlockCosts,
  joint: number | undefined,
  want: Want,
): LinearisedCosts {
  const inputs = joint === undefined ? unfolded : oneHot;
  // Which steps hold the same token.
  const tokens = structure === 'embedding' ? (places / groups) ** 2 : 0;
  const single = places === groups && joint === undefined;
  const outer = single || (structure === 'embedding' && joint === undefined);
  return {
    // Unfolded, with the bias's column, rotated, squared; what they make of variances.
    example: 4 * inputs + (outer ? outputs : 0) + tokens,
    // Gradients by position, rotated, weighted, and both in the order of a batched product; of all weights, and along their directions.
    row:
      6 * outputs +
      (joint === undefined ? 0 : 4 * joint + outputs) +
      (structure === 'diagonal' ? 3 * weights : 0) +
      (want === 'variance' ? 0 : outputs),
    weights: outer ? 0 : Math.max(weights, inputs, outputs),
  };
}

/** Results of one example: the sum so far, the summand and the next sum; covariances in parts need the parts, too. */
export const resultNumbers = (C: number, outputs: number, want: Want): number =>
  want === 'variance' ? 3 * outputs + 2 * C : 3 * outputs ** 2 + (outputs < C ? 3 * C ** 2 : 2 * C ** 2);
