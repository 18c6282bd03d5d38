/**
 * What the device side must know of a structure: a layer's tensors, draws of its weights, and the outputs' distribution where it is the
 * last layer alone. Everything is allocated inside the caller's `tf.tidy`, unless it is held.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Posterior, PosteriorLayer } from '../../../posterior/posterior.js';
import type { Noise } from '../../../random/noise.js';

/** All covariances of an example's outputs, or their variances alone. */
export type Want = 'covariance' | 'variance';

/** Directions along which a layer's weights are independent. Sides [d, d], or [P, d, d] in P groups; without vectors the identity. */
export interface DeviceDirections {
  /** U_A. */
  readonly inputVectors: tf.Tensor | undefined;
  /** U_G. */
  readonly gradientVectors: tf.Tensor | undefined;
  /** T · S² [P, n, m]. */
  readonly variances: tf.Tensor3D;
}

/** One layer's distribution at a temperature, on the device. */
export interface DeviceForm {
  /** The directions. Throws `UnsupportedLayer` for a layer whose weights are independent along none. */
  readonly directions: () => DeviceDirections;
  /** A draw of W − M: its P·n·m numbers, row by row. One noise gives the same draw on every backend, whatever eigenvectors were chosen. */
  readonly deviation: (noise: Noise) => tf.Tensor;
  /**
   * Variances [B, C] or covariances [B, C, C] of the outputs from inputs a [B, n], where the layer is the last one and nothing else is
   * covered. Throws `InvalidInput` for covariances of too many outputs.
   */
  readonly outputs: (a: tf.Tensor2D, want: Want) => tf.Tensor;
  /** Frees what is held. */
  readonly dispose: () => void;
}

/** What keeps a tensor beyond the caller's tidy: `tf.keep`, or nothing. */
export type Hold = <T extends tf.Tensor>(t: T) => T;

/** One structure. */
export interface DeviceStructure<L extends PosteriorLayer> {
  readonly upload: (posterior: Posterior, layer: L, temperature: number, hold: Hold) => DeviceForm;
  /** Numbers of the tensors of a layer, while they are made. */
  readonly numbers: (layer: L) => number;
}
