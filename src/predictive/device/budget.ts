/**
 * How the linearised predictive is cut so that what it makes fits a number of bytes: examples that go through the network together,
 * outputs whose gradients go back together, numbers in one layer's weight gradients, and whether the posterior stays on the device or
 * is uploaded layer by layer. Examples are cut first, as that costs nothing; outputs only where a single example is too much.
 *
 * What is counted is what the library allocates: the posterior's copies, values and gradients of a batch, and results. The model itself
 * and a kernel's own workspace are not.
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

/** Default of `memoryBudget`: 1 GiB. */
export const MEMORY_BUDGET = 2 ** 30;

/** A way to cut the work. */
export interface Plan {
  /** Examples at once. */
  readonly examples: number;
  /** Outputs at once. */
  readonly outputs: number;
  /** Numbers in the weight gradients that are made at once. */
  readonly numbers: number;
  /** Whether the posterior stays on the device; else each layer is uploaded when its turn comes. */
  readonly resident: boolean;
}

/**
 * The cut for batches like that of `tape`, the forward pass of one example.
 *
 * @throws an `InvalidOption` where even one example and one output (two for covariances) are too much
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
  // Copies that stay leave the work half of the budget or more.
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
/** For the many tensors of a few numbers. */
const SMALL = 4096;
/** Tensors as large as a chunk of weight gradients that are alive at once: what they are made of, they, scaled, in another order. */
const CHUNK_COPIES = 5;

/** Numbers of the results of one example: the sum so far, what is added, and the next sum; of covariances in parts also the parts. */
const results = (C: number, outputs: number, want: Want): number =>
  want === 'variance' ? 3 * outputs + 2 * C : 3 * outputs ** 2 + (outputs < C ? 3 * C ** 2 : 2 * C ** 2);

/** Numbers on the device, at most. */
interface Cost {
  /** Of each example, whatever the outputs: values that the forward pass keeps, and one layer's unfolded inputs. */
  readonly example: number;
  /** Of each output of each example: gradients on their way back, and what one layer makes of them. */
  readonly row: number;
  /** Of each output: weight gradients of one example in the layer that has most of them, the least that is made at once. */
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

/** Of one example where the last layer alone is covered (`lastLayer.ts`): nothing goes back. */
function lastCost({ n, m }: Block, want: Want): number {
  // Inputs, rotated and squared; variances along directions and of outputs, and their transposes; a chunk of U_G² or of U_G diag(q).
  return 4 * n + 6 * m + (want === 'variance' ? Math.min(2 * m * m, 2 * SQUARES) : 2 * m * m);
}

function blockCost(block: Block, posterior: Posterior, size: (id: ValueId) => number, want: Want): Cost {
  const { groups, n, m, ops } = block;
  const z = ops.reduce((sum, op) => sum + size(op.output), 0);
  // Positions times groups: every output of the layer is one of m numbers at one of them.
  const places = z / m;
  const inputs = places * n;
  const tokens = block.map.inputs === 'tokens' ? (places / groups) ** 2 : 0;
  const weights = groups * n * m;
  const full = posterior.layers.find((layer) => layer.members.length > 1);
  const joint = full === undefined ? 0 : 4 * full.n + z;
  const single = places === groups && full === undefined;
  return {
    // Unfolded, with the bias's column, rotated, squared; what they make of variances.
    example: 4 * inputs + (single ? z : 0) + tokens,
    // By position, rotated, weighted, and both in the order of a batched product.
    row: 6 * z + joint + (block.map.weightGradients !== undefined ? 3 * weights : 0) + (want === 'variance' ? 0 : z),
    weights: single ? 0 : Math.max(weights, inputs, z),
  };
}

/** Numbers of the gradients that one row has alive at once on its way back, with what an operation makes on its own. */
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

/** What an operation makes of one row on the way: a gradient and its sum with another; what tfjs keeps of a layer that it differentiates. */
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
    remedy: "Give more, or cover fewer layers (layers: 'last').",
  });

/** Bytes as a budget: a number that is no size is refused. */
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
 * The cut of every batch: batches of one shape are cut alike. Looks at a forward pass of one example.
 *
 * @throws as `planFor`
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
