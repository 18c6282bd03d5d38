/**
 * How each way of predicting is cut so that what it makes on the device fits `memoryBudget` bytes. A planner combines the costs of the
 * network (`network/costs.ts`) and of the posterior (`costs.ts`); it makes nothing itself.
 *
 * Counted is what the library allocates: the posterior's copies where `linearisedPlan` says so, values and gradients of a batch, and
 * results. The model and a kernel's own workspace are not counted.
 */
import { type LaplaceError, laplaceError } from '../../errors.js';
import { CHUNK, MOST_ROWS } from '../../limits.js';
import type { NetworkCosts } from '../../network/costs.js';
import type { Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import { layerBytes, linearisedCosts, NUMBER, resultNumbers, type Want } from './costs.js';
import type { DevicePosterior } from './device.js';

/** For the many tensors of a few numbers, in bytes. */
const SMALL = 4096;
/** Tensors as large as a chunk of weight gradients that are alive at once: both factors, the product, scaled, in another order. */
const CHUNK_COPIES = 5;

/** Throws an `InvalidOption` for a budget that is no size. */
export function checkBudget(memoryBudget: number): void {
  if (memoryBudget > 0 && !Number.isNaN(memoryBudget)) return;
  throw laplaceError('InvalidOption', {
    what: 'memoryBudget is out of range',
    field: 'memoryBudget',
    found: String(memoryBudget),
    expected: 'a number of bytes > 0; Infinity for no bound',
  });
}

/** How the linearised predictive of a batch is cut. */
export interface LinearisedPlan {
  /** Examples at once. */
  readonly examples: number;
  /** Outputs whose gradients go back together. */
  readonly outputs: number;
  /** Numbers in the weight gradients that are made at once. */
  readonly numbers: number;
  /** Whether the posterior stays on the device; otherwise each layer is uploaded when its turn comes. */
  readonly resident: boolean;
}

/**
 * The linearised predictive, all of it within the budget. Examples are cut first, because that costs nothing; outputs only where a
 * single example is too much.
 *
 * @throws an `InvalidOption` where even one example and one output (two for covariances) are too much
 */
export function linearisedPlan(
  network: Network,
  posterior: Posterior,
  costs: NetworkCosts,
  want: Want,
  memoryBudget: number,
): LinearisedPlan {
  const budget = Math.min(memoryBudget, Number.MAX_SAFE_INTEGER);
  const C = network.outputs;
  const { example, row, weights } = linearisedCosts(network, posterior, costs, want);
  const fewest = Math.min(C, want === 'covariance' ? 2 : 1);
  const oneExample = (outputs: number): number => NUMBER * (example + outputs * row + resultNumbers(C, outputs, want));
  const oneChunk = (outputs: number): number => NUMBER * CHUNK_COPIES * outputs * weights;
  const least = oneExample(fewest) + oneChunk(fewest);
  const copies = posterior.layers.map((layer) => layerBytes(layer, want));
  const all = copies.reduce((a, b) => a + b, 0);
  // Copies that stay leave half of the budget or more to the work.
  const resident = all <= budget / 2 && all + SMALL + least <= budget;
  const held = SMALL + (resident ? all : Math.max(...copies));
  if (held + least > budget) throw tooSmall(memoryBudget, held + least);
  const forWork = budget - held;
  let outputs = C;
  while (outputs > fewest && oneExample(outputs) + oneChunk(outputs) > forWork)
    outputs = Math.max(fewest, Math.floor(outputs / 2));
  const chunk = weights === 0 ? 0 : Math.max(oneChunk(outputs), Math.min(forWork / 4, NUMBER * CHUNK_COPIES * CHUNK));
  return {
    examples: Math.floor((forWork - chunk) / oneExample(outputs)) || 1,
    outputs,
    numbers: Math.max(1, Math.floor(chunk / (NUMBER * CHUNK_COPIES))),
    resident,
  };
}

const tooSmall = (found: number, least: number): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'The memory budget is too small for this model',
    field: 'memoryBudget',
    found: `${found} bytes`,
    expected: `at least ${Math.ceil(least)} bytes, for a single example`,
    remedy: "Give more, or cover fewer layers (layers: 'last').",
  });

/** How the covariance of outputs at many inputs is cut into tiles. */
export interface JointPlan {
  /** Examples on one side of a tile. */
  readonly examples: number;
  /** Numbers that a tile may use for its work. */
  readonly numbers: number;
}

/**
 * Tiles of the outputs' covariance between B and B' examples: half of the budget for both sides and a row of tiles, half for the work
 * on one tile, beside the posterior and what one example takes on either side.
 */
export function jointPlan(
  { outputs: C }: Network,
  { layers }: DevicePosterior,
  costs: NetworkCosts,
  [B, others]: readonly [B: number, others: number],
  memoryBudget: number,
): JointPlan {
  const full = layers.some(({ joint }) => joint);
  const joint = full ? [...costs.blocks.values()].reduce((sum, { weights }) => sum + weights, 0) : 0;
  const inputs = mostOf(costs, full ? 'oneHot' : 'unfolded');
  // Both sides' values, gradients and inputs of a block, rotated; gradients on the way of one side; then the row of tiles.
  const perExample = 2 * costs.values + C * (2 * costs.gradients + costs.back + 6 * joint) + 4 * inputs + 2 * C * C * others;
  const numbers = memoryBudget / NUMBER / 2;
  return { examples: Math.min(examplesWithin(numbers, perExample, 3 * C * C), Math.max(B, others)), numbers };
}

/** How a batch of a sampled predictive is cut. */
export interface SampledPlan {
  /** Examples at once. */
  readonly examples: number;
  /** Numbers that are kept of what no draw changes; the pieces beyond compute it anew. */
  readonly kept: number;
}

/** One draw after the other: half of the budget for a draw's pass, half for what is the same for all draws. */
export function sampledPlan(costs: NetworkCosts, memoryBudget: number): SampledPlan {
  const kept = memoryBudget / NUMBER / 2;
  // All values, and what one layer makes of them.
  const perExample = 3 * costs.values + 6 * costs.widest + 4 * mostOf(costs, 'unfolded');
  return { examples: Math.min(MOST_ROWS, examplesWithin(kept, perExample)), kept };
}

/** The part of the budget that draws of weights may fill while they are kept for the next batch, and the part that is left for passes. */
export const drawsPlan = (memoryBudget: number): { readonly kept: number; readonly left: number } => ({
  kept: memoryBudget / NUMBER / 2,
  left: memoryBudget / 2,
});

/** How sampled functions are evaluated. */
export interface FunctionsPlan {
  /** Examples at once. */
  readonly examples: number;
  /** Numbers of one layer's changes δz, of several functions together. */
  readonly changes: number;
}

/** S sampled functions at a batch: a quarter of the budget for the changes of functions, the rest for examples. */
export function functionsPlan(network: Network, costs: NetworkCosts, samples: number, memoryBudget: number): FunctionsPlan {
  const C = network.outputs;
  const numbers = memoryBudget / NUMBER;
  // Changes of several functions are made one by one and then put together, which takes them twice.
  const changes = Math.min(CHUNK, numbers / 8);
  // Values, gradients on their way and those of one layer in another order, one change, and the functions' values.
  const perExample =
    costs.values + C * (2 * costs.gradients + costs.back) + 2 * mostOf(costs, 'unfolded') + 2 * costs.gradients + 4 * C * samples;
  return { examples: examplesWithin((3 / 4) * numbers, perExample), changes };
}

/** Inputs of the block that has most of them. */
const mostOf = ({ blocks }: NetworkCosts, inputs: 'unfolded' | 'oneHot'): number =>
  Math.max(0, ...[...blocks.values()].map((block) => block[inputs]));

/** The most examples, at least one, for which perExample · X + perPair · X² numbers are within `numbers`. */
function examplesWithin(numbers: number, perExample: number, perPair = 0): number {
  const half = perExample / 2;
  const most = perPair === 0 ? numbers / perExample : (Math.sqrt(half * half + perPair * numbers) - half) / perPair;
  return Math.max(1, Math.floor(most));
}
