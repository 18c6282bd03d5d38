/**
 * Counts the numbers that the linearised predictive takes on the device: the copies of a posterior, and what is computed for one
 * example and one output. The counts of the network itself come from `network/costs.ts`.
 */
import { isNetworkWide } from '../../curvature/structure/index.js';
import { SQUARES_CHUNK } from '../../limits.js';
import type { BlockCosts, NetworkCosts } from '../../network/costs.js';
import { lastLayer } from '../../network/lastLayer.js';
import type { Block, Network } from '../../network/network.js';
import type { Posterior, PosteriorLayer } from '../../posterior/posterior.js';
import { deviceStructure } from './structure/index.js';
import type { Want } from './structure/structure.js';

/** Bytes of a number on the device. */
export const NUMBER = 4;

/** The bytes of one layer's device copies while they are made and used. */
export const layerBytes = (layer: PosteriorLayer, want: Want): number =>
  NUMBER * deviceStructure(layer.structure).numbers(layer, want);

/** The most numbers that the linearised predictive makes. */
export interface LinearisedCosts {
  /**
   * For each example, however many outputs: the values that the forward pass keeps, the inputs of one layer, and what is computed
   * from these inputs.
   */
  readonly example: number;
  /** For each output of each example: the gradients on their way back, and what one layer computes from them. */
  readonly row: number;
  /**
   * For each output: the weight gradients of one example in the layer with most of them. No less than this can be made at once.
   */
  readonly weights: number;
  /** For each further posterior that shares the pass, and each example: the weights of the squared gradients. */
  readonly candidate: number;
}

export function linearisedCosts(network: Network, posterior: Posterior, costs: NetworkCosts, want: Want): LinearisedCosts {
  const full = posterior.layers.find(isNetworkWide);
  const last = full === undefined ? lastLayer(network) : undefined;
  if (last !== undefined) return { example: costs.values + lastCost(last, want), row: 0, weights: 0, candidate: 2 * last.m };
  const blocks = [...costs.blocks].map(([block, own]) => blockCost(block, own, full?.n, want));
  const largest = (f: (cost: LinearisedCosts) => number): number => Math.max(0, ...blocks.map(f));
  return {
    example: costs.values + largest((c) => c.example),
    row: costs.back + largest((c) => c.row),
    weights: largest((c) => c.weights),
    candidate: largest((c) => c.candidate),
  };
}

/** The numbers for one example if only the last layer is covered (`lastLayer.ts`). Then no gradients go back. */
function lastCost({ n, m }: Block, want: Want): number {
  // The inputs, and their rotated and squared copies; variances along directions and of outputs, and their transposes; a chunk of
  // U_G² or of U_G diag(q).
  return 4 * n + 6 * m + (want === 'variance' ? Math.min(2 * m * m, 2 * SQUARES_CHUNK) : 2 * m * m);
}

/** The numbers for one block. `coupled` is the number of all weights if they share one covariance (`full`). */
function blockCost(
  { groups, map }: Block,
  { places, outputs, unfolded, oneHot, weights }: BlockCosts,
  coupled: number | undefined,
  want: Want,
): LinearisedCosts {
  const isToken = map.inputs === 'tokens';
  const inputs = coupled === undefined ? unfolded : oneHot;
  // For each pair of steps, whether they hold the same token.
  const pairs = isToken ? (places / groups) ** 2 : 0;
  const single = places === groups && coupled === undefined;
  const outer = single || (isToken && coupled === undefined);
  return {
    // The inputs unfolded, with the column of the bias, rotated, and squared; and the product of their squares with the variances.
    example: 4 * inputs + (outer ? outputs : 0) + pairs,
    // The gradients by position, rotated, and weighted, and the last two in the order of a batched product; for `full` the gradients
    // of all weights, and their copies along the directions.
    row:
      6 * outputs +
      (coupled === undefined ? 0 : 4 * coupled + outputs) +
      (map.weightGradients === undefined ? 0 : 3 * weights) +
      (want === 'variance' ? 0 : outputs),
    weights: outer ? 0 : Math.max(weights, inputs, outputs),
    candidate: outer ? 2 * outputs : 0,
  };
}

/**
 * How many numbers the results of one example take: the sum so far, the part that is added, and the next sum. Covariances that are
 * computed in parts take the parts as well.
 */
export const resultNumbers = (C: number, outputs: number, want: Want): number =>
  want === 'variance' ? 3 * outputs + 2 * C : 3 * outputs ** 2 + (outputs < C ? 3 * C ** 2 : 2 * C ** 2);
