/**
 * Forward passes over a network's operations, keeping every value so that a backward pass can follow.
 *
 * What a layer with weights computes is a rule, so that the same walk serves the MAP, sampled weights and sampled pre-activations.
 * Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { present } from './linear/index.js';
import type { Network } from './network.js';
import type { LinearOp, ValueId } from './ops.js';

/** Pre-activations z [B, …] of an operation at its inputs x [B, …]. */
export type LinearRule = (op: LinearOp, x: tf.Tensor) => tf.Tensor;

/** The values of one batch. */
export interface Tape {
  /** B. */
  readonly size: number;
  readonly values: ReadonlyMap<ValueId, tf.Tensor>;
  /** f [B, C], before the likelihood's links. */
  readonly outputs: tf.Tensor2D;
}

/** z at the model's own weights. */
export const mapRule: LinearRule = ({ map }, x) => map.apply(x, present(map));

/** Runs the network on one batch in inference mode (no dropout, batch statistics at their moving averages). */
export function forward(network: Network, inputs: ReadonlyArray<tf.Tensor>, rule: LinearRule = mapRule): Tape {
  const values = new Map<ValueId, tf.Tensor>();
  network.inputs.forEach((id, i) => values.set(id, inputs[i] as tf.Tensor));
  for (const op of network.ops) {
    switch (op.kind) {
      case 'linear':
        values.set(op.output, rule(op, values.get(op.input) as tf.Tensor));
        break;
      case 'elementwise':
        values.set(op.output, op.apply(values.get(op.input) as tf.Tensor));
        break;
      case 'opaque': {
        const results = op.apply(op.inputs.map((id) => values.get(id) as tf.Tensor));
        op.outputs.forEach((id, i) => values.set(id, results[i] as tf.Tensor));
      }
    }
  }
  const ends = network.ends.map((id) => values.get(id) as tf.Tensor2D);
  const outputs = ends.length === 1 ? (ends[0] as tf.Tensor2D) : tf.concat(ends, 1);
  return { size: outputs.shape[0], values, outputs };
}
