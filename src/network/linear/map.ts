/**
 * The interface of a linear map, which a layer needs to get a curvature block. The layer's pre-activation z is linear in its
 * weights: at every position t of every group
 *
 *   z_t = a_t W,   a [n] the inputs that the position sees (with a trailing 1 for a bias),   W [n, m].
 *
 * A dense layer on vectors has one position, a convolution one for each pixel, a layer on sequences one for each step. The
 * channels of a depthwise convolution and the features of a scale are groups; all other maps have one group.
 *
 * A new kind of layer is one file that makes such a value, and a line in `index.ts`. Tensors are made inside the caller's
 * `tf.tidy`. Letters: R rows (examples, or gradients of several outputs stacked), T positions of one example, P groups.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable, layers } from '@tensorflow/tfjs-layers';

import type { Stack } from '../stack.js';

/** A layer of tfjs. */
export type Layer = layers.Layer;

/** Shape of one value, without the batch dimension. A dimension is null if it depends on the batch. */
export type ValueShape = ReadonlyArray<number | null>;

/** Kernel and bias in tfjs's shapes, or the one of the two that the layer has. */
export type MapWeights = ReadonlyArray<tf.Tensor>;

/** A linear map of one layer. */
export interface LinearMap {
  /** Appended to the layer's name if the layer has several blocks: 'depthwise'. */
  readonly part?: string;
  /** P. */
  readonly groups: number;
  /** Rows of W: inputs, plus one for the bias. */
  readonly n: number;
  /** Columns of W. */
  readonly m: number;
  readonly bias: boolean;
  /**
   * What a position sees. `'rows'`: a row of n numbers. `'tokens'`: a token, which stands for a one-hot row of the vocabulary.
   * `'features'`: a single normalised feature, and the 1 of the bias. It decides which structures of curvature the layer can have
   * (`curvature/choice.ts`). Rows and features reach the functions below as float32, tokens as the model's input declares them.
   */
  readonly inputs: 'rows' | 'tokens' | 'features';
  /** The layer's own variables that make up W, in the order of `MapWeights`. */
  readonly variables: ReadonlyArray<LayerVariable>;
  /** T, if it does not depend on the batch. */
  readonly positions: number | undefined;
  /** z [R, …] from x [R, …], at these weights. */
  readonly apply: (x: tf.Tensor, weights: MapWeights) => tf.Tensor;
  /**
   * a without the 1 for the bias: [P, R, T, n − 1] with a bias, otherwise [P, R, T, n]. If W is a bias alone, only P, R and T are
   * read.
   */
  readonly unfold: (x: tf.Tensor) => tf.Tensor4D;
  /** A tensor of the shape of z, position by position: [P, R, T, m]. */
  readonly atPositions: (z: tf.Tensor) => tf.Tensor4D;
  /** Gradient in x [R, …] from the gradient in z [R, …]. `x` only gives the shape of an example; it may have other rows. */
  readonly pullback: (gradient: tf.Tensor, x: tf.Tensor, weights: MapWeights) => tf.Tensor;
  /**
   * The gradient Ĝ = Σ_t a_t g_tᵀ of each row in W, [P, R, n, m], from x [B, …] and gradients [R, …] in z. A map has this
   * function if there is a shorter way than unfolding the inputs.
   */
  readonly weightGradients?: (x: tf.Tensor, gradient: tf.Tensor, stack: Stack) => tf.Tensor4D;
  /** W [P·n, m] of these weights, groups on top of each other. */
  readonly toMatrix: (weights: MapWeights) => tf.Tensor2D;
  /** The inverse of `toMatrix`. */
  readonly fromMatrix: (W: tf.Tensor2D) => MapWeights;
}

/** The weights that a map's layer has now. */
export const present = (map: LinearMap): MapWeights => map.variables.map((v) => v.read());

/**
 * A layer of your own that is linear in its weights. Its class is a layer class of tfjs with this method. The method gives the
 * map of the layer for inputs of this shape (without the batch), or undefined if the layer has none. The map must compute what
 * the layer's `call` computes before its `activation`, if it has one.
 */
export interface LinearLayer {
  readonly linearMap: (inputShape: ValueShape) => LinearMap | undefined;
}
