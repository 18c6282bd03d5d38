/** How many numbers one example takes on its way through a network, and how many examples then fit at once. */
import * as tf from '@tensorflow/tfjs-core';
import { forward } from '../../network/forward.js';
import type { Network } from '../../network/network.js';

/** Bytes of a number on the device. */
export const NUMBER = 4;

/** How many numbers one example takes. */
export interface Widths {
  /** All values of a forward pass together. */
  readonly values: number;
  /** The largest value of a forward pass. */
  readonly widest: number;
  /** The gradients of one output in the pre-activations of all blocks. */
  readonly gradients: number;
  /** The inputs of the block with most inputs, unfolded over its positions. */
  readonly unfolded: number;
}

/** Measures one example of a batch with a forward pass, because the number of positions can depend on the data. */
export function widthsOf(network: Network, x: ReadonlyArray<tf.Tensor>): Widths {
  return tf.tidy(() => {
    const { values } = forward(
      network,
      x.map((t) => tf.slice(t, 0, 1)),
    );
    const sizes = [...values.values()].map((t) => t.size);
    const sizeAt = (id: number): number => (values.get(id) as tf.Tensor).size;
    const outputs = (uses: Network['blocks'][number]['ops']): number => uses.reduce((sum, op) => sum + sizeAt(op.output), 0);
    return {
      values: sizes.reduce((sum, size) => sum + size, 0),
      widest: Math.max(...sizes),
      gradients: network.blocks.reduce((sum, { ops }) => sum + outputs(ops), 0),
      // For each of T positions and P groups, z holds m numbers and a holds n.
      unfolded: Math.max(...network.blocks.map(({ ops, n, m, map }) => (map.inputs === 'rows' ? (outputs(ops) / m) * n : 0))),
    };
  });
}

/** The largest number X of examples, at least 1, with perExample · X + perPair · X² <= numbers. */
export function examplesWithin(numbers: number, perExample: number, perPair = 0): number {
  const half = perExample / 2;
  const most = perPair === 0 ? numbers / perExample : (Math.sqrt(half * half + perPair * numbers) - half) / perPair;
  return Math.max(1, Math.floor(most));
}
