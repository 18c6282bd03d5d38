/**
 * One backward pass for many gradients at once. Stacked rows (see `stack.ts`) go through the network together, layer by layer.
 * Each operation multiplies them with its Jacobian at the values that the forward pass kept.
 *
 * Cost for R rows: a dense layer with in inputs and m outputs takes 2·R·in·m operations, a convolution its own transpose, an
 * activation one mask. tfjs differentiates all other layers, on their inputs repeated R / B times. Nothing below the lowest block
 * is computed. Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import { activeValues } from './active.js';
import { checkGradient } from './device.js';
import type { Tape } from './forward.js';
import { present } from './linear/index.js';
import type { Block, Network } from './network.js';
import { type ElementwiseOp, type LinearOp, type Op, type OpaqueOp, outputsOf, type ValueId } from './ops.js';
import { shortcut } from './shortcuts.js';
import { type Seeds, type Stack, timesValue, toRows } from './stack.js';

/**
 * Receives a block's pre-activation gradients [R, …], one tensor for each use (`block.ops`). They are disposed when it returns.
 */
export type VisitGradients = (block: Block, gradients: ReadonlyArray<tf.Tensor>) => void;

/**
 * Sends `seeds`, gradients in f, back through the network and visits every block once, from the last to the first. A gradient is
 * freed as soon as it has been passed on, so only the stacked gradients of one place in the graph are alive at a time.
 */
export function backward(network: Network, tape: Tape, { rows, stack }: Seeds, visit: VisitGradients): void {
  const active = activeValues(network);
  const blocks = new Map(network.blocks.flatMap((b) => b.ops.map((op) => [op, b])));
  const waiting = new Map<LinearOp, tf.Tensor>();
  const adjoints = new Map<ValueId, tf.Tensor>();
  const free = (gradient: tf.Tensor): void => {
    if (gradient !== rows) gradient.dispose();
  };
  /** Adds `gradient` to the gradients that a value has received so far. It takes `gradient` over: nobody else may hold it. */
  const send = (id: ValueId, gradient: tf.Tensor): void => {
    const sum = adjoints.get(id);
    if (!active.has(id)) gradient.dispose();
    else if (sum === undefined) adjoints.set(id, gradient);
    else {
      adjoints.set(id, tf.add(sum, gradient));
      free(sum);
      gradient.dispose();
    }
  };
  const valueAt = (id: ValueId): tf.Tensor => tape.values.get(id) as tf.Tensor;
  const [end, ...others] = network.ends as [ValueId, ...ValueId[]];
  if (others.length === 0) adjoints.set(end, rows);
  else {
    const widths = network.ends.map((id) => valueAt(id).shape[1] as number);
    tf.split(rows, widths, 1).forEach((part, i) => send(network.ends[i] as ValueId, part));
  }
  for (const op of [...network.ops].reverse()) {
    const reached = outputsOf(op).filter((id) => active.has(id) && adjoints.has(id));
    if (reached.length === 0) continue;
    const g = adjoints.get(reached[0] as ValueId) as tf.Tensor;
    let held = false;
    switch (op.kind) {
      case 'linear': {
        const block = blocks.get(op);
        if (block !== undefined) {
          waiting.set(op, g);
          held = true;
        }
        if (active.has(op.input))
          send(
            op.input,
            owned(g, () => op.map.pullback(g, valueAt(op.input), present(op.map))),
          );
        // The first use in running order is the last to be reached.
        if (block !== undefined && op === block.ops[0]) {
          const uses = block.ops.map((use) => waiting.get(use) as tf.Tensor);
          visit(block, uses);
          uses.forEach(free);
        }
        break;
      }
      case 'elementwise':
        send(
          op.input,
          owned(g, () => timesValue(stack, g, slopes(op, valueAt(op.input), valueAt(op.output)))),
        );
        break;
      case 'opaque': {
        const back = tf.tidy(() => throughOpaque(op, tape, adjoints, stack));
        op.inputs.forEach((id, i) => send(id, back[i] as tf.Tensor));
      }
    }
    for (const id of reached) {
      if (!held) free(adjoints.get(id) as tf.Tensor);
      adjoints.delete(id);
    }
  }
}

/** A gradient that is computed from g. If it is g itself, the result is a clone, so that each of the two can be disposed. */
const owned = (g: tf.Tensor, back: () => tf.Tensor): tf.Tensor =>
  tf.tidy(() => {
    const gradient = back();
    return gradient === g ? tf.clone(g) : gradient;
  });

/** φ'(z), entry by entry. `value` is φ(z), which the forward pass has kept. */
export function slopes(op: ElementwiseOp, z: tf.Tensor, value: tf.Tensor): tf.Tensor {
  if (op.slope) return tf.mul(tf.onesLike(z), op.slope());
  // This is the slope that tfjs uses in training, in one operation instead of many.
  if (op.form === 'relu') return tf.sign(value);
  return differentiated(op, () => tf.grad((t) => op.apply(t))(z, tf.onesLike(z)));
}

/** Some layers of tfjs run but have no gradient (ThresholdedReLU). The error then names the layer. */
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
  checkGradient(op.form, op.layer.name);
  const values = op.inputs.map((id) => tape.values.get(id) as tf.Tensor);
  const short = op.outputs.length === 1 ? shortcut(op, values, adjoints.get(op.outputs[0] as ValueId) as tf.Tensor) : undefined;
  if (short !== undefined) return [...short];
  const inputs = values.map((value) => toRows(stack, value));
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
