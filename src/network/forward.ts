/**
 * Forward passes over a network's operations, keeping every value so that a backward pass can follow.
 *
 * What a dense layer computes is a rule, so that the same walk serves the MAP, sampled weights and sampled pre-activations.
 * Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Network } from './network.js';
import type { DenseOp, ValueId } from './ops.js';

/** Pre-activations z [B, m] of a dense layer at inputs a [B, in]. */
export type DenseRule = (op: DenseOp, a: tf.Tensor2D) => tf.Tensor2D;

/** The values of one batch. */
export interface Tape {
  /** B. */
  readonly size: number;
  readonly values: ReadonlyMap<ValueId, tf.Tensor>;
  /** f [B, C], before the likelihood's link. */
  readonly outputs: tf.Tensor2D;
}

/** z = a K + b at the model's own weights. */
export const mapRule: DenseRule = (op, a) => {
  const [kernel, bias] = op.layer.weights.map((w) => w.read());
  return tf.fused.matMul({ a, b: kernel as tf.Tensor2D, ...(bias === undefined ? {} : { bias }) }) as tf.Tensor2D;
};

/** z = [a, 1] W for a weight matrix W [n, m] whose last row is the bias, if the layer has one. */
export function affine(a: tf.Tensor2D, W: tf.Tensor2D): tf.Tensor2D {
  const inputs = a.shape[1];
  if (W.shape[0] === inputs) return tf.matMul(a, W);
  const kernel = tf.slice(W, [0, 0], [inputs, -1]);
  // Not the fused product: the WASM backend refuses a bias that was reshaped from a row.
  return tf.add(tf.matMul(a, kernel), tf.slice(W, [inputs, 0], [1, -1]));
}

/** Runs the network on one batch in inference mode (no dropout, batch statistics at their moving averages). */
export function forward(network: Network, inputs: ReadonlyArray<tf.Tensor>, rule: DenseRule = mapRule): Tape {
  const values = new Map<ValueId, tf.Tensor>();
  network.inputs.forEach((id, i) => values.set(id, inputs[i] as tf.Tensor));
  for (const op of network.ops) {
    switch (op.kind) {
      case 'dense': {
        const a = values.get(op.input) as tf.Tensor;
        values.set(op.output, a.rank === 2 ? rule(op, a as tf.Tensor2D) : denseOnSequence(op, a));
        break;
      }
      case 'elementwise':
        values.set(op.output, op.apply(values.get(op.input) as tf.Tensor));
        break;
      case 'opaque': {
        const results = op.apply(op.inputs.map((id) => values.get(id) as tf.Tensor));
        op.outputs.forEach((id, i) => values.set(id, results[i] as tf.Tensor));
      }
    }
  }
  const outputs = values.get(network.output) as tf.Tensor2D;
  return { size: outputs.shape[0], values, outputs };
}

/** A dense layer on inputs with further leading dimensions, at its MAP: such a layer has no block. */
function denseOnSequence(op: DenseOp, a: tf.Tensor): tf.Tensor {
  const rows = tf.reshape(a, [-1, a.shape[a.rank - 1] as number]) as tf.Tensor2D;
  const z = mapRule(op, rows);
  return tf.reshape(z, [...a.shape.slice(0, -1), z.shape[1]]);
}

/** Inputs of a layer in homogeneous coordinates: a trailing 1 when its block has a bias. [B, n] */
export function homogeneous(a: tf.Tensor2D, bias: boolean): tf.Tensor2D {
  return bias ? tf.concat([a, tf.ones([a.shape[0], 1])], 1) : a;
}
