/** Identities that look at what passes a layer on its way forward and back. */
import * as tf from '@tensorflow/tfjs-core';
import type { Layer, LayerUse } from 'tfjs-laplace';

/** Looks at one call of a layer. */
export interface Look {
  /** Keeps a tensor as long as the step's others. */
  readonly hold: (t: tf.Tensor) => tf.Tensor;
  readonly preactivation: (z: tf.Tensor) => void;
  /** The gradient in the value that `use` ends with: the last pre-activation, or what its activation makes of it. */
  readonly gradient: (use: LayerUse, gradient: tf.Tensor) => void;
}

interface Activation {
  getClassName(): string;
  apply(z: tf.Tensor): tf.Tensor;
}

/** The member of tfjs's layers that their types keep to themselves. */
interface Inside {
  activation?: Activation | null;
}

/** The identity, with a gradient that is looked at on its way back. */
export function watched(t: tf.Tensor, look: (dy: tf.Tensor) => void): tf.Tensor {
  return tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      look(dy);
      return dy;
    },
  }))(t);
}

/** φ'(z) from h = φ(z), for the activations that tfjs fuses with dense layers and convolutions: their z never shows. */
const SLOPES: Readonly<Record<string, (h: tf.Tensor) => tf.Tensor>> = {
  relu: (h) => tf.step(h),
  elu: (h) => tf.add(tf.minimum(h, 0), 1),
};

/**
 * A layer's own computation, watched. The layer always does the work itself, so that training does not change by a bit: what has no
 * activation is z, a fused activation is watched at its output, and another one is handed over with the tap in front of it. A layer
 * around a layer (TimeDistributed) runs its activation step by step, and one of several operations may turn its channels around after
 * it: these are watched at their output, as a whole.
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
