/**
 * What a training step shows of a layer: its input x and the gradient at its output are enough for the rows of all its blocks, by
 * a pass through the layer's own operations. A layer of one linear map costs nothing that way; of two (a separable convolution), or
 * of a normalisation and its scale, what lies between them is computed once more.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { activeValues } from './active.js';
import { backward } from './backward.js';
import { forward } from './forward.js';
import type { Network } from './network.js';
import { inputsOf, type LayerUse } from './ops.js';
import { gradientsAt, inputsAt } from './positions.js';
import { dropsInside } from './recurrent/index.js';

/** Inputs a [P, B, T, n] of a block and gradients g [P, B, T, m] in its pre-activations. */
export interface BlockRows {
  readonly input: tf.Tensor4D;
  readonly gradient: tf.Tensor4D;
}

/** Layers that take the statistics of the batch in training: there an example's gradients are those of the others' losses too. */
const COUPLES = 'BatchNormalization';

/**
 * Whether the gradients of a training step are those of each example's own loss, at what this network computes. They are not above
 * a batch normalisation, and not within a recurrent layer that drops some of its inputs or states.
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

/** A layer that is used several times is called in an order of tfjs's own: its uses must be of one form. */
const isAlikeIn =
  (network: Network) =>
  (use: LayerUse): boolean =>
    network.uses.every(({ layer, ops }) => layer !== use.layer || ops.length === use.ops.length);

/**
 * Rows of each block of a layer, by name, at one use of it: from its input x [B, …] and gradients [B, …] in its last pre-activation
 * (or in what the layer gives, when its activation is among `use.ops`). Allocates inside the caller's `tf.tidy`.
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
  // What the last operation gives is not needed.
  const tape = forward({ ...own, ops: ops.slice(0, -1), ends: [input] }, [x]);
  const rows = new Map<string, BlockRows>();
  const stack = { _tag: 'uniform', size: tape.size, copies: 1 } as const;
  backward(own, tape, { rows: gradient as tf.Tensor2D, stack }, (block, gradients) => {
    rows.set(block.name, { input: inputsAt(block, tape), gradient: gradientsAt(block, gradients) });
  });
  return rows;
}
