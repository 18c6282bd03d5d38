/**
 * One backward pass for K gradients of every example at once: K·B stacked rows go through the network together, layer by
 * layer, with local vector-Jacobian products over the values that the forward pass kept. Row k·B + b belongs to example b.
 *
 * Cost: for a dense layer with in inputs and m outputs 2·K·B·in·m operations, for an activation one mask; other layers are
 * differentiated by tfjs on their inputs repeated K times. Nothing below the lowest block is computed.
 * Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import type { Tape } from './forward.js';
import { timesTransposed } from './matmul.js';
import type { Block, Network } from './network.js';
import { type ElementwiseOp, inputsOf, type Op, type OpaqueOp, outputsOf, type ValueId } from './ops.js';

/** Receives a block's pre-activation gradients g [K·B, m]. */
export type VisitGradients = (block: Block, gradients: tf.Tensor2D) => void;

/** Sends `seeds` [K, B, C], gradients in f, back through the network and visits every block once, from the last to the first. */
export function backward(network: Network, tape: Tape, seeds: tf.Tensor3D, visit: VisitGradients): void {
  const [K, B, C] = seeds.shape;
  const active = activeValues(network);
  const blocks = new Map(network.blocks.map((b) => [b.op, b]));
  const adjoints = new Map<ValueId, tf.Tensor>([[network.output, tf.reshape(seeds, [K * B, C])]]);
  const send = (id: ValueId, gradient: tf.Tensor): void => {
    if (!active.has(id)) return;
    const sum = adjoints.get(id);
    adjoints.set(id, sum === undefined ? gradient : tf.add(sum, gradient));
  };
  for (const op of [...network.ops].reverse()) {
    if (!outputsOf(op).some((id) => active.has(id) && adjoints.has(id))) continue;
    switch (op.kind) {
      case 'dense': {
        const g = adjoints.get(op.output) as tf.Tensor2D;
        const block = blocks.get(op);
        if (block !== undefined) visit(block, g);
        if (active.has(op.input)) send(op.input, throughKernel(g, op.layer.weights[0]?.read() as tf.Tensor2D));
        break;
      }
      case 'elementwise':
        send(op.input, throughActivation(op, tape, adjoints.get(op.output) as tf.Tensor, K));
        break;
      case 'opaque':
        throughOpaque(op, tape, adjoints, K).forEach((g, i) => send(op.inputs[i] as ValueId, g));
    }
  }
}

/** Values that depend on the weights of a block: the only ones that gradients are wanted for. */
function activeValues(network: Network): ReadonlySet<ValueId> {
  const blocks = new Set(network.blocks.map((b) => b.op));
  const active = new Set<ValueId>();
  for (const op of network.ops) {
    const own = op.kind === 'dense' && blocks.has(op);
    if (own || inputsOf(op).some((id) => active.has(id))) for (const id of outputsOf(op)) active.add(id);
  }
  return active;
}

/** g Kᵀ over the last axis, whatever the leading dimensions. */
function throughKernel(g: tf.Tensor, kernel: tf.Tensor2D): tf.Tensor {
  if (g.rank === 2) return timesTransposed(g as tf.Tensor2D, kernel);
  const rows = tf.reshape(g, [-1, kernel.shape[1]]) as tf.Tensor2D;
  return tf.reshape(timesTransposed(rows, kernel), [...g.shape.slice(0, -1), kernel.shape[0]]);
}

/** g ⊙ φ'(z), the slope computed once for the batch and used for all K gradients. */
function throughActivation(op: ElementwiseOp, tape: Tape, g: tf.Tensor, K: number): tf.Tensor {
  const slope = slopes(op, tape.values.get(op.input) as tf.Tensor);
  const stacked = tf.reshape(g, [K, ...slope.shape]);
  return tf.reshape(tf.mul(stacked, tf.expandDims(slope, 0)), g.shape);
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

function throughOpaque(op: OpaqueOp, tape: Tape, adjoints: Map<ValueId, tf.Tensor>, K: number): tf.Tensor[] {
  const inputs = op.inputs.map((id) => repeat(tape.values.get(id) as tf.Tensor, K));
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

/** The batch K times over: [B, …] to [K·B, …]. */
const repeat = (x: tf.Tensor, K: number): tf.Tensor => (K === 1 ? x : tf.tile(x, [K, ...new Array<number>(x.rank - 1).fill(1)]));
