/**
 * One backward pass for many gradients at once: stacked rows (see `stack.ts`) go through the network together, layer by layer,
 * with local vector-Jacobian products over the values that the forward pass kept.
 *
 * Cost for R rows: of a dense layer with in inputs and m outputs 2·R·in·m operations, of a convolution its own transpose, of an
 * activation one mask; other layers are differentiated by tfjs on their inputs repeated R / B times. Nothing below the lowest block
 * is computed. Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import type { Tape } from './forward.js';
import { present } from './linear/index.js';
import type { Block, Network } from './network.js';
import { type ElementwiseOp, inputsOf, type LinearOp, type Op, type OpaqueOp, outputsOf, type ValueId } from './ops.js';
import { type Seeds, type Stack, timesValue, toRows } from './stack.js';

/** Receives a block's pre-activation gradients [R, …], one tensor for each use of the layer (`block.ops`). */
export type VisitGradients = (block: Block, gradients: ReadonlyArray<tf.Tensor>) => void;

/** Sends `seeds`, gradients in f, back through the network and visits every block once, from the last to the first. */
export function backward(network: Network, tape: Tape, { rows, stack }: Seeds, visit: VisitGradients): void {
  const active = activeValues(network);
  const blocks = new Map(network.blocks.flatMap((b) => b.ops.map((op) => [op, b])));
  const waiting = new Map<LinearOp, tf.Tensor>();
  const adjoints = new Map<ValueId, tf.Tensor>();
  const send = (id: ValueId, gradient: tf.Tensor): void => {
    if (!active.has(id)) return;
    const sum = adjoints.get(id);
    adjoints.set(id, sum === undefined ? gradient : tf.add(sum, gradient));
  };
  const widths = network.ends.map((id) => tape.values.get(id)?.shape[1] as number);
  const parts = network.ends.length === 1 ? [rows] : tf.split(rows, widths, 1);
  network.ends.forEach((id, i) => send(id, parts[i] as tf.Tensor));
  for (const op of [...network.ops].reverse()) {
    if (!outputsOf(op).some((id) => active.has(id) && adjoints.has(id))) continue;
    switch (op.kind) {
      case 'linear': {
        const g = adjoints.get(op.output) as tf.Tensor;
        const block = blocks.get(op);
        if (block !== undefined) {
          waiting.set(op, g);
          // The first use in running order is the last to be reached.
          if (op === block.ops[0]) {
            visit(
              block,
              block.ops.map((use) => waiting.get(use) as tf.Tensor),
            );
          }
        }
        if (active.has(op.input)) {
          send(op.input, op.map.pullback(g, tape.values.get(op.input) as tf.Tensor, present(op.map)));
        }
        break;
      }
      case 'elementwise':
        send(
          op.input,
          timesValue(stack, adjoints.get(op.output) as tf.Tensor, slopes(op, tape.values.get(op.input) as tf.Tensor)),
        );
        break;
      case 'opaque':
        throughOpaque(op, tape, adjoints, stack).forEach((g, i) => send(op.inputs[i] as ValueId, g));
    }
  }
}

/** Values that depend on the weights of a block: the only ones that gradients are wanted for. */
export function activeValues(network: Network): ReadonlySet<ValueId> {
  const covered = new Set<Op>(network.blocks.flatMap((b) => b.ops));
  const active = new Set<ValueId>();
  for (const op of network.ops) {
    if (covered.has(op) || inputsOf(op).some((id) => active.has(id))) for (const id of outputsOf(op)) active.add(id);
  }
  return active;
}

/** φ'(z), entry by entry. */
export function slopes(op: ElementwiseOp, z: tf.Tensor): tf.Tensor {
  return differentiated(op, () => tf.grad((t) => op.apply(t))(z, tf.onesLike(z)));
}

/** Some layers of tfjs run but have no gradient (ThresholdedReLU): that is the model's matter, not a fault of tfjs. */
function differentiated<A>({ layer }: Op, gradients: () => A): A {
  try {
    return gradients();
  } catch (cause) {
    throw laplaceError('UnsupportedLayer', {
      what: `Layer '${layer.name}' cannot be differentiated`,
      layer: layer.name,
      found: `${layer.getClassName()}: ${cause instanceof Error ? cause.message : String(cause)}`,
      expected: 'a gradient for every operation above the lowest covered layer',
      remedy: "Cover only the layers above it: name them, or use layers: 'last'.",
      cause,
    });
  }
}

function throughOpaque(op: OpaqueOp, tape: Tape, adjoints: Map<ValueId, tf.Tensor>, stack: Stack): tf.Tensor[] {
  const inputs = op.inputs.map((id) => toRows(stack, tape.values.get(id) as tf.Tensor));
  // A layer with several outputs is differentiated as one function by contracting each output with its own adjoint.
  const contracted = (...xs: tf.Tensor[]): tf.Tensor => {
    const terms = op.apply(xs).flatMap((y, i) => {
      const g = adjoints.get(op.outputs[i] as ValueId);
      return g === undefined ? [] : [tf.sum(tf.mul(y, g))];
    });
    return tf.addN(terms);
  };
  return differentiated(op, () => tf.grads(contracted)(inputs));
}
