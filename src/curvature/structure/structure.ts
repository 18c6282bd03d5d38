/**
 * What the curvature side must know of a structure: which sums a layer has, and what one batch adds to them. A structure is one file
 * here, one in `posterior/structure` and one in `predictive/device/structure` (or the file of a structure that it shares its form
 * with), and a line in the table of each folder.
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

/** The shape of a layer's W, and what else decides the shapes of its sums. */
export interface LayerShape {
  /** P: groups of equal size with a block of their own each (the channels of a depthwise convolution); 1 otherwise. */
  readonly groups: number;
  /** Rows of W in a group: inputs, bias included. */
  readonly n: number;
  /** Columns of W: outputs. */
  readonly m: number;
  /**
   * T, where every example has the same number of positions and each position is a row of the input sum (`expand`): A is the mean over
   * them. Absent where T is 1, and where T depends on the data: then the rows of each batch are weighed by 1/T beforehand.
   */
  readonly positions?: number;
  /** How `lowRank` sketches G; absent where G is a diagonal. */
  readonly sketch?: Sketch;
}

/** One sum over examples. */
export interface SumShape {
  readonly rows: number;
  readonly cols: number;
  /** Whether it is a Gram matrix Σ r rᵀ (of each group, on top of each other), and so symmetric. */
  readonly symmetric?: true;
  /** What the sum is divided by, beside the number of examples, to be a mean. Default 1. */
  readonly divisor?: number;
}

/** Σ r rᵀ over rows of d numbers in P groups, [P·d, d]. */
export const gram = (d: number, groups = 1, divisor = 1): SumShape => ({
  rows: groups * d,
  cols: d,
  symmetric: true,
  ...(divisor === 1 ? {} : { divisor }),
});

/** A layer on its way into the sums. */
export interface Subject {
  /** Its number in the layout. */
  readonly layer: number;
  readonly shape: LayerShape;
  readonly block: Block;
  readonly weightSharing: 'expand' | 'reduce';
  /** Device copies of the directions along which `eigen` sums; a side without vectors is the identity. */
  readonly rotation?: { readonly input: tf.Tensor | undefined; readonly gradient: tf.Tensor | undefined };
}

/** What reaches one block from one stack of rows. Each tensor is made when it is asked for, inside the caller's `tf.tidy`. */
export interface Reached {
  readonly stack: Stack;
  /** a [P, B, T, n], or the tokens [1, B, T, 1]. */
  readonly inputs: () => tf.Tensor4D;
  /** g [P, R, T, m]. */
  readonly gradients: () => tf.Tensor4D;
  /** Ĝ [P, R, n, m], where the layer's map makes them by itself. */
  readonly weightGradients: () => tf.Tensor4D | undefined;
}

/** How the gradient side of a last layer that is covered alone is summed, without rows that are sent back (`closedForm.ts`). */
export interface ClosedForm {
  /** The shapes of what is summed, in place of the structure's own. */
  readonly sums: Readonly<Record<string, SumShape>>;
  /** Puts what one batch adds to the gradient's side into the sink. */
  readonly observe: (observation: Observation, subject: Subject, sink: Sink) => void;
  /** From the sums of all batches to the structure's own. */
  readonly completed: (sums: Readonly<Record<string, Matrix>>) => Readonly<Record<string, Matrix>>;
}

/** What the cost of a layer's sums depends on. */
export interface SumCost {
  /** T. */
  readonly positions: number;
  /** K: rows of an example that reach the layer; a closed form takes one. */
  readonly rows: number;
  readonly reduce: boolean;
  readonly closed: boolean;
}

/** One structure. `Parts` are the names of its sums, an optional one where only some layers have it. */
export interface SummedStructure<Parts extends object> {
  /** Whether one set of sums belongs to one block, or to all covered blocks together. */
  readonly scope: 'block' | 'network';
  /** The sums of a layer, by name. */
  readonly sums: (shape: LayerShape) => Parts;
  /** Adds what the inputs a [P, B, T, n] alone tell. `weights` [B] say how often each example counts. */
  readonly addInputs?: (subject: Subject, a: tf.Tensor4D, weights: tf.Tensor1D | undefined, sink: Sink) => void;
  /** Adds what one stack of rows tells; absent for a structure that only has a closed form, or whose scope is the network. */
  readonly addGradients?: (subject: Subject, reached: Reached, sink: Sink) => void;
  /** The closed form for a last layer that is covered alone; absent where the structure has none. */
  readonly closedForm?: (shape: LayerShape, hessian: HessianOps) => ClosedForm;
  /** Multiplications that an example costs in each group. */
  readonly operations: (shape: LayerShape, cost: SumCost) => number;
  /** Σ d³ over the matrices [d, d] of a group that are decomposed. */
  readonly cubes: (shape: LayerShape) => number;
  /** Rows of the largest matrix [d, d] that the structure keeps of a layer; 0 where it keeps none. */
  readonly factorRows: (shape: Pick<LayerShape, 'n' | 'm'>) => number;
  /** What is kept, in a few words. */
  readonly words: (shape: LayerShape) => string;
}
