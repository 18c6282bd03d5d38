/**
 * Plans how the linearised predictive cuts its work to fit into a memory budget. A plan fixes how many examples go through the
 * network together, how many outputs send gradients back together, how many numbers one layer's weight gradients may have at
 * once, and whether the posterior stays on the device or is uploaded layer by layer. Examples are cut first, because that costs
 * nothing. Outputs are cut only if a single example is too much.
 *
 * The budget counts what the library allocates: copies of the posterior, values and gradients of a batch, and results. It does
 * not count the model itself, nor the workspace of a backend's kernels.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../../errors.js';
import { activeValues } from '../../network/active.js';
import { forward, type Tape } from '../../network/forward.js';
import { lastLayer } from '../../network/lastLayer.js';
import type { Block, Network } from '../../network/network.js';
import { inputsOf, type Op, outputsOf, type ValueId } from '../../network/ops.js';
import type { Posterior } from '../../posterior/posterior.js';
import { deviceNumbers } from './device.js';
import { SQUARES } from './structure/lastOutputs.js';
import type { Want } from './structure/structure.js';
import { NUMBER } from './widths.js';

/** The default of `memoryBudget` in bytes: 1 GiB. */
export const MEMORY_BUDGET = 2 ** 30;

/** How the work is cut. */
export interface Plan {
  /** How many examples go through the network together. */
  readonly examples: number;
  /** How many outputs send gradients back together. */
  readonly outputs: number;
  /** How many numbers of weight gradients are made at once. */
  readonly numbers: number;
  /** Whether the posterior stays on the device. If not, each layer is uploaded when its turn comes. */
  readonly resident: boolean;
}

/**
 * The plan for batches whose examples have the shape of the one in `tape`.
 *
 * @param tape the forward pass of one example
 * @param memoryBudget in bytes
 * @throws LaplaceError `InvalidOption` if even one example and one output (two for covariances) are too much
 */
function planFor(network: Network, posterior: Posterior, tape: Tape, want: Want, memoryBudget: number): Plan {
  const budget = Math.min(memoryBudget, Number.MAX_SAFE_INTEGER);
  const C = network.outputs;
  const cost = costOf(network, posterior, tape, want);
  const fewest = Math.min(C, want === 'covariance' ? 2 : 1);
  const oneExample = (outputs: number): number => NUMBER * (cost.example + outputs * cost.row + results(C, outputs, want));
  const oneChunk = (outputs: number): number => NUMBER * CHUNK_COPIES * outputs * cost.weights;
  const least = oneExample(fewest) + oneChunk(fewest);
  const copies = posterior.layers.map((layer) => NUMBER * deviceNumbers(layer));
  const all = copies.reduce((a, b) => a + b, 0);
  // The posterior stays on the device only if its copies leave at least half of the budget to the work.
  const resident = all <= budget / 2 && all + SMALL + least <= budget;
  const held = SMALL + (resident ? all : Math.max(...copies));
  if (held + least > budget) throw tooSmall(memoryBudget, held + least);
  const forWork = budget - held;
  let outputs = C;
  while (outputs > fewest && oneExample(outputs) + oneChunk(outputs) > forWork)
    outputs = Math.max(fewest, Math.floor(outputs / 2));
  const chunk = cost.weights === 0 ? 0 : Math.max(oneChunk(outputs), Math.min(forWork / 4, NUMBER * CHUNK_COPIES * CHUNK));
  return {
    examples: Math.floor((forWork - chunk) / oneExample(outputs)) || 1,
    outputs,
    numbers: Math.max(1, Math.floor(chunk / (NUMBER * CHUNK_COPIES))),
    resident,
  };
}

/** The largest chunk of weight gradients worth making at once: 64 MiB. */
const CHUNK = 2 ** 24;
/** Bytes that are set aside for the many tensors of a few numbers. */
const SMALL = 4096;
/**
 * How many tensors as large as a chunk of weight gradients are alive at once: the operands, the gradients themselves, and their
 * scaled and reordered copies.
 */
const CHUNK_COPIES = 5;

/**
 * How many numbers the results of one example take: the sum so far, the part that is added, and the next sum. Covariances that
 * are computed in parts take the parts as well.
 */
const results = (C: number, outputs: number, want: Want): number =>
  want === 'variance' ? 3 * outputs + 2 * C : 3 * outputs ** 2 + (outputs < C ? 3 * C ** 2 : 2 * C ** 2);

/** The most numbers that the work has on the device. */
interface Cost {
  /** For each example, however many outputs: the values that the forward pass keeps, and the unfolded inputs of one layer. */
  readonly example: number;
  /** For each output of each example: the gradients on their way back, and what one layer computes from them. */
  readonly row: number;
  /**
   * For each output: the weight gradients of one example in the layer with most of them. No less than this can be made at once.
   */
  readonly weights: number;
}

function costOf(network: Network, posterior: Posterior, tape: Tape, want: Want): Cost {
  const size = (id: ValueId): number => tape.values.get(id)?.size ?? 0;
  const values = [...tape.values.values()].reduce((sum, t) => sum + t.size, 0);
  const last = posterior.layers.every(({ members }) => members.length === 1) ? lastLayer(network) : undefined;
  if (last !== undefined) return { example: values + lastCost(last, want), row: 0, weights: 0 };
  const blocks = network.blocks.map((block) => blockCost(block, posterior, size, want));
  const largest = (f: (cost: Cost) => number): number => Math.max(0, ...blocks.map(f));
  return {
    example: values + largest((c) => c.example),
    row: gradientsAlive(network, size) + largest((c) => c.row),
    weights: largest((c) => c.weights),
  };
}

/** The numbers for one example if only the last layer is covered (`lastLayer.ts`). Then no gradients go back. */
function lastCost({ n, m }: Block, want: Want): number {
  // The inputs, and their rotated and squared copies; variances along directions and of outputs, and their transposes; a chunk of
  // U_G² or of U_G diag(q).
  return 4 * n + 6 * m + (want === 'variance' ? Math.min(2 * m * m, 2 * SQUARES) : 2 * m * m);
}

function blockCost(block: Block, posterior: Posterior, size: (id: ValueId) => number, want: Want): Cost {
  const { groups, n, m, ops } = block;
  const z = ops.reduce((sum, op) => sum + size(op.output), 0);
  // Positions times groups. At each of these places the layer's output has m numbers.
  const places = z / m;
  const inputs = places * n;
  const tokens = block.map.inputs === 'tokens' ? (places / groups) ** 2 : 0;
  const weights = groups * n * m;
  const full = posterior.layers.find((layer) => layer.members.length > 1);
  const joint = full === undefined ? 0 : 4 * full.n + z;
  const single = places === groups && full === undefined;
  return {
    // The inputs unfolded, with the column of the bias, rotated, and squared; and the product of their squares with the
    // variances.
    example: 4 * inputs + (single ? z : 0) + tokens,
    // The gradients by position, rotated, and weighted; and the last two in the order of a batched product.
    row: 6 * z + joint + (block.map.weightGradients !== undefined ? 3 * weights : 0) + (want === 'variance' ? 0 : z),
    weights: single ? 0 : Math.max(weights, inputs, z),
  };
}

/** The most numbers of gradients that one row has alive at once on its way back, including what an operation allocates itself. */
function gradientsAlive(network: Network, size: (id: ValueId) => number): number {
  const active = activeValues(network);
  const alive = new Set<ValueId>(network.ends);
  const total = (ids: Iterable<ValueId>): number => [...ids].reduce((sum, id) => sum + size(id), 0);
  let most = 2 * total(network.ends) + network.outputs;
  for (const op of [...network.ops].reverse()) {
    const to = inputsOf(op).filter((id) => active.has(id));
    most = Math.max(most, total(alive) + workspace(op, size));
    for (const id of outputsOf(op)) alive.delete(id);
    for (const id of to) alive.add(id);
    most = Math.max(most, total(alive) + workspace(op, size));
  }
  return most;
}

/**
 * The numbers that an operation allocates for one row: a gradient, and its sum with another gradient. For an opaque layer it is
 * what tfjs keeps while it differentiates the layer.
 */
function workspace(op: Op, size: (id: ValueId) => number): number {
  const [inputs, outputs] = [inputsOf(op), outputsOf(op)].map((ids) => ids.reduce((sum, id) => sum + size(id), 0)) as [
    number,
    number,
  ];
  return op.kind === 'opaque' ? 4 * (inputs + outputs) : 2 * (inputs + outputs);
}

const tooSmall = (found: number, least: number): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'The memory budget is too small for this model',
    field: 'memoryBudget',
    found: `${found} bytes`,
    expected: `at least ${Math.ceil(least)} bytes, for a single example`,
    remedy: "Raise memoryBudget, or cover fewer layers (layers: 'last').",
  });

/** Throws `InvalidOption` if a budget is not a number > 0. */
export function checkBudget(memoryBudget: number): void {
  if (memoryBudget > 0 && !Number.isNaN(memoryBudget)) return;
  throw laplaceError('InvalidOption', {
    what: 'memoryBudget is out of range',
    field: 'memoryBudget',
    found: String(memoryBudget),
    expected: 'a number of bytes > 0; Infinity for no bound',
  });
}

/**
 * Returns a function that gives the plan for each batch. It runs a forward pass of one example for each new shape of examples,
 * and keeps the plan.
 *
 * @throws the returned function throws as `planFor`
 */
export function planner(
  network: Network,
  posterior: Posterior,
  want: Want,
  memoryBudget: number,
): (x: ReadonlyArray<tf.Tensor>) => Plan {
  const plans = new Map<string, Plan>();
  return (x) => {
    const shape = x.map((t) => t.shape.slice(1).join('x')).join();
    const plan = plans.get(shape) ?? planLike(x);
    plans.set(shape, plan);
    return plan;
  };

  function planLike(x: ReadonlyArray<tf.Tensor>): Plan {
    let plan: Plan | undefined;
    tf.tidy(() => {
      const one = x.map((t) => tf.slice(t, 0, 1));
      plan = planFor(network, posterior, forward(network, one), want, memoryBudget);
    });
    return plan as unknown as Plan;
  }
}
