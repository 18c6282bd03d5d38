/**
 * What a layer with a curvature block must offer: z is linear in its weights. At every position t (the one of a dense layer on
 * vectors, every pixel of a convolution, every step of a sequence) and in every group p (every channel of a depthwise
 * convolution; P = 1 otherwise)
 *
 *   z_t = a_t W,   a [n] the inputs that the position sees (with a trailing 1 for a bias),   W [n, m].
 *
 * A new kind of layer is one file that makes such a value, and a line in `index.ts`. Tensors are made inside the caller's `tf.tidy`.
 * Letters: R rows (examples, or gradients of several outputs stacked), T positions of one example, P groups.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable, layers } from '@tensorflow/tfjs-layers';

import type { Stack } from '../stack.js';

/** A layer of tfjs. */
export type Layer = layers.Layer;

/** Shape of one value, the batch left out; null where only a batch tells. */
export type ValueShape = ReadonlyArray<number | null>;

/** Kernel and bias, as tfjs shapes them; whichever of the two the layer has. */
export type MapWeights = ReadonlyArray<tf.Tensor>;

/** A linear map of one layer. */
export interface LinearMap {
  /** Appended to the layer's name where a layer has several blocks: 'depthwise'. */
  readonly part?: string;
  /** P. */
  readonly groups: number;
  /** Rows of W: inputs, plus one for the bias. */
  readonly n: number;
  /** Columns of W. */
  readonly m: number;
  readonly bias: boolean;
  /**
   * What a position sees: a row of n numbers; a token, which stands for a one-hot row of the vocabulary; or a single normalised feature
   * and the bias's 1. The structures of curvature that the layer can have follow from it (`curvature/structure/choice.ts`).
   */
  readonly inputs: 'rows' | 'tokens' | 'features';
  /** The layer's own variables that make up W, in the order of `MapWeights`. */
  readonly variables: ReadonlyArray<LayerVariable>;
  /** T, if it does not depend on the batch. */
  readonly positions: number | undefined;
  /** z at these weights: [R, …] in, [R, …] out. */
  readonly apply: (x: tf.Tensor, weights: MapWeights) => tf.Tensor;
  /** a without the bias's 1: [P, R, T, n − bias]; of a bias alone only P, R and T are looked at. */
  readonly unfold: (x: tf.Tensor) => tf.Tensor4D;
  /** Something of the shape of z, position by position: [P, R, T, m]. */
  readonly atPositions: (z: tf.Tensor) => tf.Tensor4D;
  /** Gradient in x [R, …] from one in z [R, …]; `x` gives the shape of one example, whatever its own number of rows. */
  readonly pullback: (gradient: tf.Tensor, x: tf.Tensor, weights: MapWeights) => tf.Tensor;
  /**
   * Gradients Ĝ = Σ_t a_t g_tᵀ [P, R, n, m] of every row in W, from x [B, …] and gradients [R, …] in z: for maps that have a shorter way
   * than unfolding their inputs.
   */
  readonly weightGradients?: (x: tf.Tensor, gradient: tf.Tensor, stack: Stack) => tf.Tensor4D;
  /** W [P·n, m], groups on top of each other. */
  readonly toMatrix: (weights: MapWeights) => tf.Tensor2D;
  /** The inverse. */
  readonly fromMatrix: (W: tf.Tensor2D) => MapWeights;
}

/** The weights that a map's layer has now. */
export const present = (map: LinearMap): MapWeights => map.variables.map((v) => v.read());

/**
 * A layer of one's own that is linear in its weights: a class of tfjs's with this method, which gives the map of the layer for inputs of
 * this shape (batch left out), or undefined where it has none. The map must compute what the layer's `call` does before its
 * `activation`, if it has one.
 */
export interface LinearLayer {
  readonly linearMap: (inputShape: ValueShape) => LinearMap | undefined;
}
