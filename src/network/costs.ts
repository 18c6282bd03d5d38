/**
 * What one example makes on the device on its way through a network and back, counted in numbers. All of it comes from one look at a
 * forward pass of one example, because the number of positions can depend on the data. Whoever plans memory combines these counts; a
 * kernel's own workspace and the model's weights are not counted.
 */
import * as tf from '@tensorflow/tfjs-core';
import { activeValues } from './active.js';
import { forward, type Tape } from './forward.js';
import type { Block, Network } from './network.js';
import { inputsOf, type Op, outputsOf, type ValueId } from './ops.js';

/** Numbers that one example makes. */
export interface NetworkCosts {
  /** All values of a forward pass. */
  readonly values: number;
  /** The largest value. */
  readonly widest: number;
  /** One row's gradients that are alive at once on the way back, with what an operation makes beside them. */
  readonly back: number;
  /** One row's gradients in the pre-activations of all blocks. */
  readonly gradients: number;
  readonly blocks: ReadonlyMap<Block, BlockCosts>;
}

/** Numbers that one example makes at one block, over all uses of its layer. */
export interface BlockCosts {
  /** P·T: every output of the layer is one of m numbers at one of these places. */
  readonly places: number;
  /** Pre-activations z, P·T·m. One row's gradients in them are as many. */
  readonly outputs: number;
  /** Inputs a of all places with the bias's 1, P·T·n; an embedding has one token a place. */
  readonly unfolded: number;
  /** The same with tokens as one-hot rows. */
  readonly oneHot: number;
  /** Gradients of one row in the weights, P·n·m. */
  readonly weights: number;
}

/** Looks at the first example of `x`. */
export const costsOf = (network: Network, x: ReadonlyArray<tf.Tensor>): NetworkCosts => {
  // tidy passes on what it does not know as tensors.
  let costs: NetworkCosts | undefined;
  tf.tidy(() => {
    costs = costsOn(
      network,
      forward(
        network,
        x.map((t) => tf.slice(t, 0, 1)),
      ),
    );
  });
  return costs as unknown as NetworkCosts;
};

/** `costsOf`, which looks once at each shape of inputs. */
export function costsByShape(network: Network): (x: ReadonlyArray<tf.Tensor>) => NetworkCosts {
  const known = new Map<string, NetworkCosts>();
  return (x) => {
    const shape = x.map((t) => t.shape.slice(1).join('x')).join();
    const costs = known.get(shape) ?? costsOf(network, x);
    known.set(shape, costs);
    return costs;
  };
}

/** The values of a forward pass, in numbers an example: all of them, and the largest. */
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

function blockCosts({ groups, n, m, ops, structure }: Block, size: (id: ValueId) => number): BlockCosts {
  const outputs = ops.reduce((sum, op) => sum + size(op.output), 0);
  const places = outputs / m;
  return {
    places,
    outputs,
    unfolded: structure === 'embedding' ? places : places * n,
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

/** What an operation makes of one row: a gradient and its sum with another, or what tfjs keeps of a layer that it differentiates. */
function workspace(op: Op, size: (id: ValueId) => number): number {
  const touched = [...inputsOf(op), ...outputsOf(op)].reduce((sum, id) => sum + size(id), 0);
  return (op.kind === 'opaque' ? 4 : 2) * touched;
}
