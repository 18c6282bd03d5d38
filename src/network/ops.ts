/**
 * What a network is made of once it is read from a `tf.LayersModel`: a list of operations on numbered values, in an order in
 * which every value is made before it is used. A layer with an activation becomes two operations, so that its pre-activation z = a W is
 * a value like any other.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { LinearMap } from './linear/map.js';

export type Layer = layers.Layer;

/** Number of a value (an activation tensor) of the network. */
export type ValueId = number;

/** z = a W: an operation that is linear in its layer's weights, whatever else it is (see `linear/map.ts`). */
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
  /** Class name: of an activation ('tanh') or, capitalised, of an activation layer ('LeakyReLU'). */
  readonly form: string;
  readonly apply: (z: tf.Tensor) => tf.Tensor;
  /** φ' where it is a constant, to be broadcast over a batch; otherwise it is differentiated. */
  readonly slope?: () => tf.Tensor;
  readonly input: ValueId;
  readonly output: ValueId;
}

/** Any other function of one example each, differentiated by tfjs. */
export interface OpaqueOp {
  readonly kind: 'opaque';
  readonly layer: Layer;
  /** Class name: of an activation ('softmax') or, capitalised, of a layer ('Flatten'). */
  readonly form: string;
  readonly apply: (inputs: ReadonlyArray<tf.Tensor>) => ReadonlyArray<tf.Tensor>;
  readonly inputs: ReadonlyArray<ValueId>;
  readonly outputs: ReadonlyArray<ValueId>;
  /** Of a layer that could have had blocks: why it is taken as a whole. */
  readonly reason?: string;
}

export type Op = LinearOp | ElementwiseOp | OpaqueOp;

/** Where the operations of a layer go as they are made. */
export interface Emit {
  /** The number of a new value. */
  readonly fresh: () => ValueId;
  readonly add: (op: Op) => void;
}

/** Adds the operations of a layer on its input, and gives the value that they end with. */
export type Lowering = (input: ValueId, emit: Emit) => ValueId;

/** One use of a layer that is linear in its weights: what it computes, from its input to its last pre-activation. */
export interface LayerUse {
  readonly layer: Layer;
  readonly ops: ReadonlyArray<Op>;
  readonly input: ValueId;
  readonly output: ValueId;
  /** The activation that comes after them, if there is one. */
  readonly activation?: Op;
}

/** The values that an operation reads. */
export const inputsOf = (op: Op): ReadonlyArray<ValueId> => (op.kind === 'opaque' ? op.inputs : [op.input]);

/** The values that an operation makes. */
export const outputsOf = (op: Op): ReadonlyArray<ValueId> => (op.kind === 'opaque' ? op.outputs : [op.output]);

/** Activations that work entry by entry; softmax and logSoftmax are the ones of tfjs that don't. */
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

/** True when the activation of this class name has a diagonal Jacobian. */
export const isElementwise = (activation: string): boolean => ELEMENTWISE.has(activation);
