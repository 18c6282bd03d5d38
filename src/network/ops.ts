/**
 * The operations of a network that was read from a `tf.LayersModel`. They work on numbered values, and their order is one in
 * which every value is made before it is used. A layer with an activation becomes two operations, so that its pre-activation z =
 * a W is a value like any other.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { LinearMap } from './linear/map.js';

export type Layer = layers.Layer;

/** Number of a value (an activation tensor) of the network. */
export type ValueId = number;

/** z = a W: an operation that is linear in its layer's weights (see `linear/map.ts`). */
export interface LinearOp {
  readonly kind: 'linear';
  readonly layer: Layer;
  readonly map: LinearMap;
  readonly input: ValueId;
  readonly output: ValueId;
}

/** h = φ(z) entry by entry, so that its Jacobian is the diagonal φ'(z). */
export interface ElementwiseOp {
  readonly kind: 'elementwise';
  readonly layer: Layer;
  /** Class name of an activation ('tanh'), or of a layer, which is capitalised ('LeakyReLU'). */
  readonly form: string;
  readonly apply: (z: tf.Tensor) => tf.Tensor;
  /** φ' if it is a constant, which broadcasts over a batch. If absent, tfjs differentiates `apply`. */
  readonly slope?: () => tf.Tensor;
  readonly input: ValueId;
  readonly output: ValueId;
}

/** Any other function that computes each example by itself. tfjs differentiates it. */
export interface OpaqueOp {
  readonly kind: 'opaque';
  readonly layer: Layer;
  /** Class name of an activation ('softmax'), or of a layer, which is capitalised ('Flatten'). */
  readonly form: string;
  readonly apply: (inputs: ReadonlyArray<tf.Tensor>) => ReadonlyArray<tf.Tensor>;
  readonly inputs: ReadonlyArray<ValueId>;
  readonly outputs: ReadonlyArray<ValueId>;
  /** Why the layer is taken as a whole, if it is of a kind that could have blocks. */
  readonly reason?: string;
}

export type Op = LinearOp | ElementwiseOp | OpaqueOp;

/** Receives the operations of a layer as they are made. */
export interface Emit {
  /** Gives the number of a new value. */
  readonly fresh: () => ValueId;
  readonly add: (op: Op) => void;
}

/** Adds the operations of a layer, which begin at `input`, and returns the value that they end with. */
export type Lowering = (input: ValueId, emit: Emit) => ValueId;

/** One use of a layer that is linear in its weights: its operations from its input to its last pre-activation. */
export interface LayerUse {
  readonly layer: Layer;
  readonly ops: ReadonlyArray<Op>;
  readonly input: ValueId;
  readonly output: ValueId;
  /** The activation after `ops`, if there is one. */
  readonly activation?: Op;
}

/** The values that an operation reads. */
export const inputsOf = (op: Op): ReadonlyArray<ValueId> => (op.kind === 'opaque' ? op.inputs : [op.input]);

/** The values that an operation makes. */
export const outputsOf = (op: Op): ReadonlyArray<ValueId> => (op.kind === 'opaque' ? op.outputs : [op.output]);

/** Activations that work entry by entry: all of tfjs's but softmax and logSoftmax. */
const ELEMENTWISE = new Set([
  'elu',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'hardSigmoid',
  'softplus',
  'softsign',
  'tanh',
  'swish',
  'mish',
  'gelu',
  'gelu_new',
]);

/** Whether the activation of this class name has a diagonal Jacobian. */
export const isElementwise = (activation: string): boolean => ELEMENTWISE.has(activation);
