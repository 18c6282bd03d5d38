/**
 * Taps into one training step: layer inputs a, pre-activation gradients dL/dz, the batch's inputs and labels. tfjs hands none
 * of them to callbacks, so for the length of one `optimizer.minimize` the `call` of the layers concerned and the model's loss
 * function are wrapped on the instance, and put back whatever happens.
 *
 * The wrapped step computes the same numbers in the same order: a tap is an identity with a gradient that looks at what passes.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers as tfl } from '@tensorflow/tfjs-layers';
import type { Block } from 'tfjs-laplace';

type Layer = tfl.Layer;

/** What one step let through. Tensors are kept: `dispose` frees them. */
export interface Captured {
  readonly inputs: Map<Layer, tf.Tensor>;
  /** z, of the layers that show it. */
  readonly preactivations: Map<Layer, tf.Tensor>;
  readonly gradients: Map<Layer, tf.Tensor>;
  /** By position in `model.inputs`. */
  readonly x: Map<number, tf.Tensor>;
  labels: tf.Tensor | undefined;
  outputs: tf.Tensor | undefined;
  /** dL/dloss: training minimises the mean of the loss's numbers, so it is 1 over their count unless examples are weighted. */
  lossGradient: tf.Tensor | undefined;
}

/** Taps that are in place. */
export interface Taps {
  readonly captured: Captured;
  /** Puts everything back. */
  readonly remove: () => void;
  readonly dispose: () => void;
}

interface Activation {
  getClassName(): string;
  apply(z: tf.Tensor): tf.Tensor;
}

/** The member of tfjs's layers that its types keep to themselves; an embedding has none. */
interface Activated {
  activation?: Activation | null;
}

/** Identities that look at a layer's z and dL/dz: at z itself, or at h = φ(z) given how φ'(z) follows from it. */
interface Tap {
  readonly preactivation: (z: tf.Tensor) => tf.Tensor;
  readonly output: (h: tf.Tensor, slope: (h: tf.Tensor) => tf.Tensor) => tf.Tensor;
}

type Call = (inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>) => tf.Tensor | tf.Tensor[];
type LossFunction = (labels: tf.Tensor, outputs: tf.Tensor) => tf.Tensor;

/** Layers whose `call` is z = a W and then the activation, with a from the layer's own input. */
const TAPPED = new Set([
  'Dense',
  'Conv1D',
  'Conv2D',
  'Conv3D',
  'Conv2DTranspose',
  'Conv3DTranspose',
  'DepthwiseConv2D',
  'Embedding',
]);

/**
 * Whether a tap sees the rows of a block. A call does not say which use of its layer it is; and a normalisation, a separable convolution
 * and a wrapper make the inputs of their weights themselves.
 */
export const isTapped = ({ layer, ops }: Block): boolean => ops.length === 1 && TAPPED.has(layer.getClassName());

/** Installs taps on layers `tapped`, on the layers that read the model's inputs, and on the loss. */
export function installTaps(model: LayersModel, tapped: ReadonlyArray<Layer>): Taps {
  const captured: Captured = {
    inputs: new Map(),
    preactivations: new Map(),
    gradients: new Map(),
    x: new Map(),
    labels: undefined,
    outputs: undefined,
    lossGradient: undefined,
  };
  const kept: tf.Tensor[] = [];
  const hold = (t: tf.Tensor): tf.Tensor => {
    const own = tf.keep(tf.clone(t));
    kept.push(own);
    return own;
  };
  const undo: Array<() => void> = [];

  for (const layer of tapped) {
    const tap: Tap = {
      preactivation: (z) => {
        captured.preactivations.set(layer, hold(z));
        return watched(z, (dz) => captured.gradients.set(layer, hold(dz)));
      },
      output: (h, slope) => {
        const own = hold(h);
        return watched(h, (dh) => captured.gradients.set(layer, hold(tf.mul(dh, slope(own)))));
      },
    };
    undo.push(
      wrapCall(layer, (call) => (inputs, kwargs) => {
        captured.inputs.set(layer, hold(single(inputs)));
        return tapLinear(layer as unknown as Activated, () => call(inputs, kwargs) as tf.Tensor, tap);
      }),
    );
  }
  for (const [layer, reads] of inputReaders(model)) {
    undo.push(
      wrapCall(layer, (call) => (inputs, kwargs) => {
        const list = Array.isArray(inputs) ? inputs : [inputs];
        for (const { argument, input } of reads) captured.x.set(input, hold(list[argument] as tf.Tensor));
        return call(inputs, kwargs);
      }),
    );
  }
  const losses = model.lossFunctions as unknown as LossFunction[];
  const original = losses[0] as LossFunction;
  losses[0] = (labels, outputs) => {
    captured.labels = hold(labels);
    captured.outputs = hold(outputs);
    const loss = original(labels, outputs);
    return watched(loss, (dy) => {
      captured.lossGradient = hold(dy);
    });
  };
  undo.push(() => {
    losses[0] = original;
  });

  return {
    captured,
    remove: () => {
      for (const step of undo.reverse()) step();
    },
    dispose: () => tf.dispose(kept),
  };
}

/** The identity, with a gradient that is looked at on its way back. */
function watched(t: tf.Tensor, look: (dy: tf.Tensor) => void): tf.Tensor {
  return tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      look(dy);
      return dy;
    },
  }))(t);
}

/** φ'(z) from h = φ(z), for the activations that tfjs fuses with the product: their z never shows. */
const SLOPES: Readonly<Record<string, (h: tf.Tensor) => tf.Tensor>> = {
  relu: (h) => tf.step(h),
  elu: (h) => tf.add(tf.minimum(h, 0), 1),
};

/**
 * A linear layer's own computation, watched. The layer always does the work itself, so that training does not change by a bit:
 * without an activation its output is z, an activation is handed over with the tap in front of it, and a fused one is watched at its output.
 */
function tapLinear(layer: Activated, run: () => tf.Tensor, tap: Tap): tf.Tensor {
  const activation = layer.activation;
  const name = activation?.getClassName() ?? 'linear';
  if (!activation || name === 'linear') return tap.preactivation(run());
  const slope = SLOPES[name];
  if (slope !== undefined) return tap.output(run(), slope);
  layer.activation = { getClassName: () => `tapped ${name}`, apply: (z) => activation.apply(tap.preactivation(z)) };
  try {
    return run();
  } finally {
    layer.activation = activation;
  }
}

/** Replaces `call` on the instance; the returned function restores what was there, own property or prototype's. */
function wrapCall(layer: Layer, wrap: (call: Call) => Call): () => void {
  const target = layer as unknown as { call: Call };
  const own = Object.getOwnPropertyDescriptor(target, 'call');
  target.call = wrap(target.call.bind(layer));
  return () => {
    if (own) Object.defineProperty(target, 'call', own);
    else delete (target as Partial<{ call: Call }>).call;
  };
}

interface Read {
  readonly argument: number;
  readonly input: number;
}

/** Whether every input of the model can be caught on its way into a layer. */
export function readsAllInputs(model: LayersModel): boolean {
  const caught = new Set([...inputReaders(model).values()].flatMap((reads) => reads.map(({ input }) => input)));
  return caught.size === model.inputs.length;
}

/** Layers that read the model's inputs, and at which argument: the same in all their uses, since a call doesn't say which it is. */
function inputReaders(model: LayersModel): ReadonlyMap<Layer, ReadonlyArray<Read>> {
  const readers = new Map<Layer, ReadonlyArray<Read>>();
  // tfjs numbers the uses of a layer; those within this model are the container's.
  const { containerNodes } = model as unknown as { readonly containerNodes: ReadonlySet<string> };
  for (const layer of model.layers.filter((l) => l.getClassName() !== 'InputLayer')) {
    const uses = layer.inboundNodes
      .filter((_, use) => containerNodes.has(`${layer.name}_ib-${use}`))
      .map((node) => node.inputTensors.map((t) => model.inputs.findIndex((i) => i.id === t.id)));
    const [first = []] = uses;
    const reads = first.flatMap((input, argument) => (input < 0 ? [] : [{ argument, input }]));
    if (reads.length > 0 && uses.every((use) => String(use) === String(first))) readers.set(layer, reads);
  }
  return readers;
}

const single = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs);
