/**
 * Rows of a layer's blocks from what a training step shows of the layer: its input x and the gradient at its output. A pass
 * through the layer's own operations makes the rows of all its blocks. The pass costs nothing for a layer with one linear map.
 * For a layer with two (a separable convolution), or a normalisation with its scale, it computes the values in between once more.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { activeValues } from './active.js';
import { backward } from './backward.js';
import { forwardFrom, mapRule } from './forward.js';
import type { Network } from './network.js';
import { inputsOf, type LayerUse } from './ops.js';
import { gradientsAt, inputsAt } from './positions.js';
import { dropsInside } from './recurrent/index.js';

/** Inputs a [P, B, T, n] of a block and gradients g [P, B, T, m] in its pre-activations. */
export interface BlockRows {
  readonly input: tf.Tensor4D;
  readonly gradient: tf.Tensor4D;
}

/**
 * The layer that uses statistics of the batch in training. Through it, one example's gradients depend on the losses of other
 * examples.
 */
const COUPLES = 'BatchNormalization';

/**
 * Whether the gradients of a training step are the gradients of each example's own loss, at the values that this network
 * computes. They are not if there is a batch normalisation in or above a covered layer, or if a covered recurrent layer drops
 * some of its inputs or states.
 */
export function showsRows(network: Network): boolean {
  const active = activeValues(network);
  const coupled = network.ops.some(
    (op) =>
      op.layer.getClassName() === COUPLES &&
      [...inputsOf(op), ...(op.kind === 'linear' ? [op.output] : [])].some((id) => active.has(id)),
  );
  const covered = network.uses.filter(({ layer }) => network.blocks.some((block) => block.layer === layer));
  return !coupled && covered.every(isAlikeIn(network)) && !covered.some(({ layer }) => dropsInside(layer));
}

/** tfjs calls a layer that is used several times in an order of its own, so all uses of the layer must have the same form. */
const isAlikeIn =
  (network: Network) =>
  (use: LayerUse): boolean =>
    network.uses.every(({ layer, ops }) => layer !== use.layer || ops.length === use.ops.length);

/**
 * Rows of each block of a layer, at one use of the layer. Allocates inside the caller's `tf.tidy`.
 *
 * @param x the layer's input [B, …].
 * @param gradient each example's gradient [B, …] in the layer's last pre-activation, or in the layer's output where the `ops` of
 *   the use include its activation.
 * @returns the rows by the name of the block.
 */
export function rowsOfUse(
  network: Network,
  { ops, input, output }: LayerUse,
  x: tf.Tensor,
  gradient: tf.Tensor,
): ReadonlyMap<string, BlockRows> {
  const blocks = network.blocks
    .map((block) => ({ ...block, ops: block.ops.filter((op) => ops.includes(op)) }))
    .filter((block) => block.ops.length > 0);
  const own: Network = { ...network, ops, blocks, inputs: [input], ends: [output] };
  // The value of the last operation is not needed.
  const tape = forwardFrom({ ...own, ends: [input] }, { values: new Map([[input, x]]), above: ops.slice(0, -1) }, mapRule);
  const rows = new Map<string, BlockRows>();
  const stack = { _tag: 'uniform', size: tape.size, copies: 1 } as const;
  backward(own, tape, { rows: gradient as tf.Tensor2D, stack }, (block, gradients) => {
    rows.set(block.name, { input: inputsAt(block, tape), gradient: gradientsAt(block, gradients) });
  });
  return rows;
}
