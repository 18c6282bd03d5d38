/**
 * Forward passes over a network's operations. They keep every value, so that a backward pass can follow.
 *
 * A rule says what a layer with weights computes. So the same walk serves the MAP, sampled weights and sampled pre-activations.
 * Passes that differ only in the covered layers begin at common features. Everything is allocated inside the caller's `tf.tidy`.
 *
 * A pass takes inputs of every dtype that the model takes (`dtypes.ts`).
 */
import type * as tf from '@tensorflow/tfjs-core';
import { activeValues } from './active.js';
import { concat } from './concat.js';
import { asFed, asRead } from './dtypes.js';
import { present } from './linear/index.js';
import type { Network } from './network.js';
import { inputsOf, type LinearOp, type Op, outputsOf, type ValueId } from './ops.js';

/** Computes the pre-activations z [B, …] of an operation from its inputs x [B, …]. */
export type LinearRule = (op: LinearOp, x: tf.Tensor) => tf.Tensor;

/** The values of one batch. */
export interface Tape {
  /** B. */
  readonly size: number;
  readonly values: ReadonlyMap<ValueId, tf.Tensor>;
  /** f [B, C], before the likelihood's links. */
  readonly outputs: tf.Tensor2D;
}

/** A pass that has run half-way: the values that are known, and the operations that are left. */
export interface Features {
  readonly values: ReadonlyMap<ValueId, tf.Tensor>;
  readonly above: ReadonlyArray<Op>;
}

/** z at the model's own weights. */
export const mapRule: LinearRule = ({ map }, x) => map.apply(x, present(map));

/** Runs the network on one batch in inference mode (no dropout, batch statistics at their moving averages). */
export const forward = (network: Network, inputs: ReadonlyArray<tf.Tensor>, rule: LinearRule = mapRule): Tape =>
  forwardFrom(network, { values: inputValues(network, inputs), above: network.ops }, rule);

/**
 * Runs the operations that do not depend on a covered layer, so that they are the same for all draws of the weights. It keeps
 * the values that the operations above read, and the values that are outputs.
 */
export function features(network: Network, inputs: ReadonlyArray<tf.Tensor>): Features {
  const active = activeValues(network);
  const isAbove = (op: Op): boolean => outputsOf(op).some((id) => active.has(id));
  const above = network.ops.filter(isAbove);
  const read = new Set([...above.flatMap(inputsOf), ...network.ends]);
  const below = network.ops.filter((op) => !isAbove(op));
  const values = run(network, inputValues(network, inputs), below, mapRule);
  return { values: new Map([...values].filter(([id]) => read.has(id))), above };
}

/** Runs the rest of a pass. The tape has the values of the features and all values after them. */
export function forwardFrom(network: Network, { values: known, above }: Features, rule: LinearRule): Tape {
  const values = run(network, known, above, rule);
  const ends = network.ends.map((id) => values.get(id) as tf.Tensor2D);
  const outputs = concat(ends, 1);
  return { size: outputs.shape[0], values, outputs };
}

/** One value of a batch, [B, …]. Runs only the operations that it depends on. */
export function valueAt(network: Passable, inputs: ReadonlyArray<tf.Tensor>, id: ValueId): tf.Tensor {
  const wanted = new Set([id]);
  const ops: Op[] = [];
  for (const op of [...network.ops].reverse()) {
    if (!outputsOf(op).some((output) => wanted.has(output))) continue;
    ops.unshift(op);
    for (const input of inputsOf(op)) wanted.add(input);
  }
  return run(network, inputValues(network, inputs), ops, mapRule).get(id) as tf.Tensor;
}

/** The parts of a network that a pass needs. */
export type Passable = Pick<Network, 'model' | 'ops' | 'inputs'>;

const inputValues = (network: Passable, inputs: ReadonlyArray<tf.Tensor>): ReadonlyMap<ValueId, tf.Tensor> =>
  new Map(network.inputs.map((id, i) => [id, asFed(network.model, i, inputs[i] as tf.Tensor)]));

function run(
  network: Passable,
  known: ReadonlyMap<ValueId, tf.Tensor>,
  ops: ReadonlyArray<Op>,
  rule: LinearRule,
): Map<ValueId, tf.Tensor> {
  const values = new Map<ValueId, tf.Tensor>();
  const set = (id: ValueId, value: tf.Tensor): void => void values.set(id, asRead(network.ops, id, value));
  for (const [id, value] of known) set(id, value);
  for (const op of ops) {
    switch (op.kind) {
      case 'linear':
        set(op.output, rule(op, values.get(op.input) as tf.Tensor));
        break;
      case 'elementwise':
        set(op.output, op.apply(values.get(op.input) as tf.Tensor));
        break;
      case 'opaque': {
        const results = op.apply(op.inputs.map((id) => values.get(id) as tf.Tensor));
        op.outputs.forEach((id, i) => set(id, results[i] as tf.Tensor));
      }
    }
  }
  return values;
}
