/**
 * Counts the numbers that one example makes on the device on its way through a network and back. All counts come from a forward pass
 * of one example, because the number of positions can depend on the data. The planners of memory combine these counts
 * (`predictive/device/plans.ts`). They do not include the model's weights or the workspace of a kernel.
 */
import * as tf from '@tensorflow/tfjs-core';
import { activeValues } from './active.js';
import { forward, type Tape } from './forward.js';
import type { Block, Network } from './network.js';
import { inputsOf, type Op, outputsOf, type ValueId } from './ops.js';

/** The numbers that one example makes. */
export interface NetworkCosts {
  /** All values of a forward pass. */
  readonly values: number;
  /** The largest value. */
  readonly widest: number;
  /** The gradients of one row that are alive at once on the way back, with the workspace of an operation. */
  readonly back: number;
  /** The gradients of one row in the pre-activations of all blocks. */
  readonly gradients: number;
  readonly blocks: ReadonlyMap<Block, BlockCosts>;
}

/** The numbers that one example makes at one block, added over all uses of its layer. */
export interface BlockCosts {
  /** P·T. At each of these places the layer's output has m numbers. */
  readonly places: number;
  /** The pre-activations z, P·T·m. The gradients of one row in them are as many. */
  readonly outputs: number;
  /** The inputs a at all places, with a 1 for the bias: P·T·n. An embedding has one token at each place. */
  readonly unfolded: number;
  /** The inputs at all places if tokens are written as one-hot rows: P·T·n. */
  readonly oneHot: number;
  /** The gradients of one row in the weights, P·n·m. */
  readonly weights: number;
}

/** Counts for the first example of `x`. */
export const costsOf = (network: Network, x: ReadonlyArray<tf.Tensor>): NetworkCosts => {
  // tf.tidy only returns tensors and containers of them, so the counts leave it through a variable.
  let costs: NetworkCosts | undefined;
  tf.tidy(() => {
    const one = x.map((t) => tf.slice(t, 0, 1));
    costs = costsOn(network, forward(network, one));
  });
  return costs as unknown as NetworkCosts;
};

/** Returns `costsOf` for a network. It runs one forward pass for each new shape of inputs, and keeps the counts. */
export function costsByShape(network: Network): (x: ReadonlyArray<tf.Tensor>) => NetworkCosts {
  const known = new Map<string, NetworkCosts>();
  return (x) => {
    const shape = x.map((t) => t.shape.slice(1).join('x')).join();
    const costs = known.get(shape) ?? costsOf(network, x);
    known.set(shape, costs);
    return costs;
  };
}

/** The numbers of a forward pass, for each example: all values, and the largest one. */
export function valuesOf({ size, values }: Tape): Pick<NetworkCosts, 'values' | 'widest'> {
  const sizes = [...values.values()].map((t) => t.size / size);
  return { values: sizes.reduce((sum, own) => sum + own, 0), widest: Math.max(1, ...sizes) };
}

function costsOn(network: Network, tape: Tape): NetworkCosts {
  const size = (id: ValueId): number => (tape.values.get(id)?.size ?? 0) / tape.size;
  const blocks = new Map(network.blocks.map((block) => [block, blockCosts(block, size)] as const));
  return {
    ...valuesOf(tape),
    back: gradientsAlive(network, size),
    gradients: [...blocks.values()].reduce((sum, { outputs }) => sum + outputs, 0),
    blocks,
  };
}

function blockCosts({ groups, n, m, ops, map }: Block, size: (id: ValueId) => number): BlockCosts {
  const outputs = ops.reduce((sum, op) => sum + size(op.output), 0);
  const places = outputs / m;
  return {
    places,
    outputs,
    unfolded: map.inputs === 'tokens' ? places : places * n,
    oneHot: places * n,
    weights: groups * n * m,
  };
}

function gradientsAlive(network: Network, size: (id: ValueId) => number): number {
  const active = activeValues(network);
  const alive = new Set<ValueId>(network.ends);
  const total = (ids: Iterable<ValueId>): number => [...ids].reduce((sum, id) => sum + size(id), 0);
  let most = 2 * total(network.ends) + network.outputs;
  for (const op of [...network.ops].reverse()) {
    most = Math.max(most, total(alive) + workspace(op, size));
    for (const id of outputsOf(op)) alive.delete(id);
    for (const id of inputsOf(op)) if (active.has(id)) alive.add(id);
    most = Math.max(most, total(alive) + workspace(op, size));
  }
  return most;
}

/**
 * The numbers that an operation allocates for one row: a gradient, and its sum with another gradient. For an opaque layer it is what
 * tfjs keeps while it differentiates the layer.
 */
function workspace(op: Op, size: (id: ValueId) => number): number {
  const touched = [...inputsOf(op), ...outputsOf(op)].reduce((sum, id) => sum + size(id), 0);
  return (op.kind === 'opaque' ? 4 : 2) * touched;
}
