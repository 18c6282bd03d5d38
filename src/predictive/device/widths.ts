/** Numbers that one example makes on its way through a network, and how many examples that allows at once. */
import * as tf from '@tensorflow/tfjs-core';
import { forward } from '../../network/forward.js';
import type { Network } from '../../network/network.js';

/** Bytes of a number on the device. */
export const NUMBER = 4;

/** Numbers that one example makes. */
export interface Widths {
  /** All values of a forward pass. */
  readonly values: number;
  /** The largest of them. */
  readonly widest: number;
  /** Of one output's gradients in the pre-activations of all blocks. */
  readonly gradients: number;
  /** Inputs of the block that has most of them, unfolded over its positions. */
  readonly unfolded: number;
}

/** Looks at one example of a batch: positions can depend on it. */
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
      // z holds m numbers for each of T positions in P groups, a holds n.
      unfolded: Math.max(...network.blocks.map(({ ops, n, m, map }) => (map.inputs === 'rows' ? (outputs(ops) / m) * n : 0))),
    };
  });
}

/** The most examples, at least one, for which perExample · X + perPair · X² numbers are within `numbers`. */
export function examplesWithin(numbers: number, perExample: number, perPair = 0): number {
  const half = perExample / 2;
  const most = perPair === 0 ? numbers / perExample : (Math.sqrt(half * half + perPair * numbers) - half) / perPair;
  return Math.max(1, Math.floor(most));
}
