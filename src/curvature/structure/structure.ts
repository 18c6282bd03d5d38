/**
 * The interface of a structure on the curvature side: which sums a layer has, and what one batch adds to them. A structure has
 * one file in this folder, one in `posterior/structure` and one in `predictive/device/structure`, and one line in the table of
 * each folder. Structures of the same form share a file in the last two folders.
 *
 * Letters: P groups, n inputs of W (bias included), m outputs, T positions of an example, R stacked rows.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { HessianOps } from '../../likelihood/hessian.js';
import type { Block } from '../../network/blocks.js';
import type { Stack } from '../../network/stack.js';
import type { Matrix } from '../../types.js';
import type { Observation, Sink } from '../observation.js';
import type { Sketch } from './sketch.js';

/** The shape of a layer's W, and everything else that decides the shapes of its sums. */
export interface LayerShape {
  /**
   * P, the number of groups of equal size that each have a block of their own (the channels of a depthwise convolution);
   * otherwise 1.
   */
  readonly groups: number;
  /** Rows of W in a group: inputs, including the bias. */
  readonly n: number;
  /** Columns of W: outputs. */
  readonly m: number;
  /**
   * T, if every example has the same number T of positions and each position is a row of the input sum (`expand`). The mean then
   * divides by T. Absent if T is 1. Also absent if T depends on the data: then the rows of each batch are scaled before they are
   * summed.
   */
  readonly positions?: number;
  /** How `lowRank` sketches G; absent if G is diagonal. */
  readonly sketch?: Sketch;
}

/** One sum over examples. */
export interface SumShape {
  readonly rows: number;
  readonly cols: number;
  /** Set for a Gram matrix Σ r rᵀ, which is symmetric. With groups, one Gram matrix for each group lies on top of the next. */
  readonly symmetric?: true;
  /** The mean is the sum divided by the number of examples and by this divisor. Default 1. */
  readonly divisor?: number;
}

/** The shape [P·d, d] of Σ r rᵀ over rows of d numbers in P groups. */
export const gram = (d: number, groups = 1, divisor = 1): SumShape => ({
  rows: groups * d,
  cols: d,
  symmetric: true,
  ...(divisor === 1 ? {} : { divisor }),
});

/** The layer whose sums are being added to. */
export interface Subject {
  /** The layer's index in the layout. */
  readonly layer: number;
  readonly shape: LayerShape;
  readonly block: Block;
  readonly weightSharing: 'expand' | 'reduce';
  /** Device copies of the directions along which `eigen` sums. An undefined side stands for the identity. */
  readonly rotation?: { readonly input: tf.Tensor | undefined; readonly gradient: tf.Tensor | undefined };
}

/** What one stack of rows brings to one block. Each function makes its tensor when called, inside the caller's `tf.tidy`. */
export interface Reached {
  readonly stack: Stack;
  /** The inputs a [P, B, T, n], or for an embedding the tokens [1, B, T, 1]. */
  readonly inputs: () => tf.Tensor4D;
  /** The gradients g [P, R, T, m]. */
  readonly gradients: () => tf.Tensor4D;
  /** Ĝ [P, R, n, m], if the layer's map can compute it directly; otherwise undefined. */
  readonly weightGradients: () => tf.Tensor4D | undefined;
}

/**
 * How the gradient side is summed when only the last layer is covered. Nothing is sent back through the network
 * (`closedForm.ts`).
 */
export interface ClosedForm {
  /** The shapes of the sums during the pass, instead of the structure's own shapes. */
  readonly sums: Readonly<Record<string, SumShape>>;
  /** Puts what one batch adds to the gradient side into the sink. */
  readonly observe: (observation: Observation, subject: Subject, sink: Sink) => void;
  /** Turns the sums over all batches into the structure's own sums. */
  readonly completed: (sums: Readonly<Record<string, Matrix>>) => Readonly<Record<string, Matrix>>;
}

/** What the cost of a layer's sums depends on, beside the layer's shape. */
export interface SumCost {
  /** T, the positions of an example. */
  readonly positions: number;
  /** K, the rows that reach the layer for each example; 1 for a closed form. */
  readonly rows: number;
  /** Whether `weightSharing` is `'reduce'`. */
  readonly reduce: boolean;
  /** Whether the layer is summed in closed form. */
  readonly closed: boolean;
}

/** One structure. The keys of `Parts` name its sums; a key is optional if only some layers have that sum. */
export interface SummedStructure<Parts extends object> {
  /** Whether a set of sums belongs to one block, or to all covered blocks together. */
  readonly scope: 'block' | 'network';
  /** Whether the sums are taken along given directions (`rotation` of the subject), so that a pass needs a basis. Default: no. */
  readonly rotated?: true;
  /** The sums of a layer, by name. */
  readonly sums: (shape: LayerShape) => Parts;
  /** Adds the sums that need only the inputs a [P, B, T, n]. `weights` [B] say how often each example counts. */
  readonly addInputs?: (subject: Subject, a: tf.Tensor4D, weights: tf.Tensor1D | undefined, sink: Sink) => void;
  /**
   * Adds the sums that need gradients, for one stack of rows. Absent for a structure with a closed form only, or with scope
   * `'network'`.
   */
  readonly addGradients?: (subject: Subject, reached: Reached, sink: Sink) => void;
  /** The closed form for the case that only the last layer is covered; absent if the structure has none. */
  readonly closedForm?: (shape: LayerShape, hessian: HessianOps) => ClosedForm;
  /** Multiplications for one example in each group. */
  readonly operations: (shape: LayerShape, cost: SumCost) => number;
  /** Σ d³ over the matrices [d, d] of a group that are decomposed. */
  readonly cubes: (shape: LayerShape) => number;
  /** d for the largest matrix [d, d] that the structure keeps for a layer; 0 if it keeps none. */
  readonly factorRows: (shape: Pick<LayerShape, 'n' | 'm'>) => number;
  /** What the structure keeps, in a few words for people. */
  readonly words: (shape: LayerShape) => string;
}
