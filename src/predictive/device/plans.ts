/**
 * Plans how each kind of prediction is cut, so that what it makes on the device fits into `memoryBudget` bytes. A planner combines the
 * costs of the network (`network/costs.ts`) and of the posterior (`costs.ts`). It makes nothing itself.
 *
 * The plans count what the library allocates: values and gradients of a batch, results, and in `linearisedPlan` also the copies of
 * the posterior. They do not count the model or the workspace of a kernel.
 */
import { type LaplaceError, laplaceError } from '../../errors.js';
import { CHUNK, MOST_ROWS } from '../../limits.js';
import type { NetworkCosts } from '../../network/costs.js';
import type { Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import { layerBytes, linearisedCosts, NUMBER, resultNumbers } from './costs.js';
import type { DevicePosterior } from './device.js';
import type { Want } from './structure/structure.js';

/** Bytes that are set aside for the many tensors of a few numbers. */
const SMALL = 4096;
/**
 * How many tensors as large as a chunk of weight gradients are alive at once: both operands, the gradients themselves, and their
 * scaled and reordered copies.
 */
const CHUNK_COPIES = 5;

/** How the linearised predictive of a batch is cut. */
export interface LinearisedPlan {
  /** How many examples go through the network together. */
  readonly examples: number;
  /** How many outputs send their gradients back together. */
  readonly outputs: number;
  /** How many numbers of weight gradients are made at once. */
  readonly numbers: number;
  /** Whether the posterior stays on the device. If not, each layer is uploaded when its turn comes. */
  readonly resident: boolean;
}

/**
 * Plans the linearised predictive, including the copies of the posterior. It prefers to cut examples, because that costs nothing. It
 * cuts outputs only if a single example is too much.
 *
 * @param posteriors how many posteriors share the pass: each has its own results, and its own variances of one layer
 * @throws LaplaceError `InvalidOption` if even one example and one output (two for covariances) are too much
 */
export function linearisedPlan(
  network: Network,
  posterior: Posterior,
  costs: NetworkCosts,
  want: Want,
  memoryBudget: number,
  posteriors = 1,
): LinearisedPlan {
  const budget = Math.min(memoryBudget, Number.MAX_SAFE_INTEGER);
  const C = network.outputs;
  const { example, row, weights, candidate } = linearisedCosts(network, posterior, costs, want);
  const fewest = Math.min(C, want === 'covariance' ? 2 : 1);
  const oneExample = (outputs: number): number =>
    NUMBER * (example + outputs * row + (posteriors - 1) * candidate + posteriors * resultNumbers(C, outputs, want));
  const oneChunk = (outputs: number): number => NUMBER * CHUNK_COPIES * outputs * weights;
  const least = oneExample(fewest) + oneChunk(fewest);
  const copies = posterior.layers.map((layer) => layerBytes(layer, want));
  const all = copies.reduce((a, b) => a + b, 0);
  // The posterior stays on the device only if its copies leave at least half of the budget to the work.
  const resident = all <= budget / 2 && all + SMALL + least <= budget;
  const lent = (posteriors - 1) * Math.max(...copies);
  const held = SMALL + lent + (resident ? all : Math.max(...copies));
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
    remedy: "Raise memoryBudget, or cover fewer layers (layers: 'last').",
  });

/** How the covariance of outputs at many inputs is cut into tiles. */
export interface JointPlan {
  /** How many examples one side of a tile has. */
  readonly examples: number;
  /** How many numbers a tile may use for its work. */
  readonly numbers: number;
}

/**
 * Plans the tiles of the covariance between the outputs at B and at B' examples. Half of the budget is for both sides of a tile and for
 * a row of tiles, and half is for the work on one tile. The posterior is not counted, and each side has at least one example.
 */
export function jointPlan(
  { outputs: C }: Network,
  { layers }: DevicePosterior,
  costs: NetworkCosts,
  [B, others]: readonly [B: number, others: number],
  memoryBudget: number,
): JointPlan {
  const coupled = layers.reduce((sum, layer) => sum + (layer.coupled ? layer.size : 0), 0);
  const inputs = mostOf(costs, coupled > 0 ? 'oneHot' : 'unfolded');
  // For both sides the values, the gradients, and the inputs of one block, rotated; for one side also the gradients on their way; then
  // a row of tiles.
  const perExample = 2 * costs.values + C * (2 * costs.gradients + costs.back + 6 * coupled) + 4 * inputs + 2 * C * C * others;
  const numbers = memoryBudget / NUMBER / 2;
  return { examples: Math.min(examplesWithin(numbers, perExample, 3 * C * C), Math.max(B, others)), numbers };
}

/** How a batch of a sampled predictive is cut. */
export interface SampledPlan {
  /** How many examples go through the network together. */
  readonly examples: number;
  /** How many numbers that no draw changes are kept. Pieces that no longer fit compute theirs again for each draw. */
  readonly kept: number;
}

/** Plans a sampled predictive, draw by draw. Half of the budget is for the pass of a draw, and half keeps what no draw changes. */
export function sampledPlan(costs: NetworkCosts, memoryBudget: number): SampledPlan {
  const kept = memoryBudget / NUMBER / 2;
  // All values, and what one layer computes from them.
  const perExample = 3 * costs.values + 6 * costs.widest + 4 * mostOf(costs, 'unfolded');
  return { examples: Math.min(MOST_ROWS, examplesWithin(kept, perExample)), kept };
}

/**
 * Divides a budget between draws of weights, which are kept for the next batch, and passes.
 *
 * @returns `kept`: how many numbers of draws are kept; `left`: the bytes for passes
 */
export const drawsPlan = (memoryBudget: number): { readonly kept: number; readonly left: number } => ({
  kept: memoryBudget / NUMBER / 2,
  left: memoryBudget / 2,
});

/** How sampled functions are evaluated. */
export interface FunctionsPlan {
  /** How many examples go through the network together. */
  readonly examples: number;
  /** How many numbers of one layer's changes δz are held at once, for several functions together. */
  readonly changes: number;
}

/** Plans S sampled functions at a batch. A quarter of the budget is for the changes δz of functions, and the rest for examples. */
export function functionsPlan(network: Network, costs: NetworkCosts, samples: number, memoryBudget: number): FunctionsPlan {
  const C = network.outputs;
  const numbers = memoryBudget / NUMBER;
  // The changes of several functions are made one by one and then put together, so they are held twice.
  const changes = Math.min(CHUNK, numbers / 8);
  // The values, the gradients on their way, one layer's gradients in another order, one change, and the functions' values.
  const perExample =
    costs.values + C * (2 * costs.gradients + costs.back) + 2 * mostOf(costs, 'unfolded') + 2 * costs.gradients + 4 * C * samples;
  return { examples: examplesWithin((3 / 4) * numbers, perExample), changes };
}

/** The number of inputs of the block with most inputs. */
const mostOf = ({ blocks }: NetworkCosts, inputs: 'unfolded' | 'oneHot'): number =>
  Math.max(0, ...[...blocks.values()].map((block) => block[inputs]));

/** The largest number X of examples, at least 1, with perExample · X + perPair · X² <= numbers. */
function examplesWithin(numbers: number, perExample: number, perPair = 0): number {
  const half = perExample / 2;
  const most = perPair === 0 ? numbers / perExample : (Math.sqrt(half * half + perPair * numbers) - half) / perPair;
  return Math.max(1, Math.floor(most));
}
