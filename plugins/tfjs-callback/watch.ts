/** Identities that observe values on their way through a layer, forward and back. */
import * as tf from '@tensorflow/tfjs-core';
import type { Layer, LayerUse } from 'tfjs-laplace/extend';

/** Observes one call of a layer. */
export interface Look {
  /** Keeps a tensor as long as the other tensors of the step. */
  readonly hold: (t: tf.Tensor) => tf.Tensor;
  readonly preactivation: (z: tf.Tensor) => void;
  /** Called with dL/dv of the value v that `use` ends with: the last pre-activation, or the activation's output. */
  readonly gradient: (use: LayerUse, gradient: tf.Tensor) => void;
}

interface Activation {
  getClassName(): string;
  apply(z: tf.Tensor): tf.Tensor;
}

/** A member of tfjs's layers that their types hide. */
interface Inside {
  activation?: Activation | null;
}

/** The identity. Calls `look` with the gradient on its way back. */
export function watched(t: tf.Tensor, look: (dy: tf.Tensor) => void): tf.Tensor {
  return tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      look(dy);
      return dy;
    },
  }))(t);
}

/** φ'(z) from h = φ(z), for the activations that tfjs fuses with dense layers and convolutions, so that their z never shows. */
const SLOPES: Readonly<Record<string, (h: tf.Tensor) => tf.Tensor>> = {
  relu: (h) => tf.step(h),
  elu: (h) => tf.add(tf.minimum(h, 0), 1),
};

/**
 * Runs a layer's own computation and observes it. The layer always does the work itself, so that training does not change by a
 * bit. Where the observer stands depends on the layer:
 * - without an activation, at the output, which is z;
 * - with a fused activation, at the output h, from which φ' follows;
 * - with any other activation, in front of it;
 * - with several operations or around another layer (TimeDistributed), at the output, and the layer counts as a whole: it may run
 *   its activation step by step, or turn its channels around afterwards.
 */
export function watchUse(use: LayerUse, run: () => tf.Tensor, look: Look): tf.Tensor {
  const { activation } = use;
  if (activation === undefined || activation.kind === 'linear') {
    const z = run();
    look.preactivation(z);
    return watched(z, (dz) => look.gradient(use, dz));
  }
  const slope = SLOPES[activation.form];
  if (slope !== undefined) {
    const h = run();
    const own = look.hold(h);
    return watched(h, (dh) => look.gradient(use, tf.mul(dh, slope(own))));
  }
  if (use.ops.length > 1 || !hasActivation(use.layer)) {
    const [output] = activation.kind === 'opaque' ? activation.outputs : [activation.output];
    const whole: LayerUse = { ...use, ops: [...use.ops, activation], output: output as number };
    return watched(run(), (dh) => look.gradient(whole, dh));
  }
  return inFront(use, run, look);
}

const hasActivation = (layer: Layer): boolean => (layer as unknown as Inside).activation !== undefined;

/** Runs a layer with the tap in front of its activation. */
function inFront(use: LayerUse, run: () => tf.Tensor, look: Look): tf.Tensor {
  const inside = use.layer as unknown as Inside;
  const activation = inside.activation as Activation;
  inside.activation = {
    getClassName: () => `tapped ${activation.getClassName()}`,
    apply: (z) => {
      look.preactivation(z);
      return activation.apply(watched(z, (dz) => look.gradient(use, dz)));
    },
  };
  try {
    return run();
  } finally {
    inside.activation = activation;
  }
}
