/**
 * The interface of a structure on the device: it gives a layer's tensors, draws of the layer's weights, and the distribution of
 * the outputs if only the last layer is covered. Everything is allocated inside the caller's `tf.tidy`, unless it is held.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Posterior, PosteriorLayer } from '../../../posterior/posterior.js';
import type { Noise } from '../../../random/noise.js';

/** Whether all covariances of an example's outputs are wanted, or only their variances. */
export type Want = 'covariance' | 'variance';

/** Directions along which a layer's weights are independent. An undefined side stands for the identity. */
export interface DeviceDirections {
  /** U_A [n, n], or [P, n, n] for P > 1 groups. */
  readonly inputVectors: tf.Tensor | undefined;
  /** U_G [m, m], or [P, m, m] for P > 1 groups. */
  readonly gradientVectors: tf.Tensor | undefined;
  /** T · S² [P, n, m]. */
  readonly variances: tf.Tensor3D;
}

/** One layer's distribution at a temperature, on the device. */
export interface DeviceForm {
  /** The directions. Throws `UnsupportedLayer` if the weights are independent along no directions. */
  readonly directions: () => DeviceDirections;
  /**
   * A draw of W − M: P·n·m numbers, row by row. One noise gives the same draw on every backend, whichever eigenvectors the engine
   * chose.
   */
  readonly deviation: (noise: Noise) => tf.Tensor;
  /** The squares of the inputs a [B, n] along the layer's directions: u [B, n]. It does not depend on the prior. */
  readonly squaredInputs: (a: tf.Tensor2D) => tf.Tensor2D;
  /**
   * The variances [B, C] or covariances [B, C, C] of the outputs, from `squaredInputs`. Only for the last layer of a network in which
   * nothing else is covered. Throws `InvalidInput` for covariances of too many outputs.
   */
  readonly outputs: (u: tf.Tensor2D, want: Want) => tf.Tensor;
  /** Frees the held tensors. */
  readonly dispose: () => void;
}

/** Holds a tensor beyond the caller's `tf.tidy` (`tf.keep`), or leaves it to the tidy (the identity). */
export type Hold = <T extends tf.Tensor>(t: T) => T;

/** One structure. */
export interface DeviceStructure<L extends PosteriorLayer> {
  /** Uploads a layer at temperature T. */
  readonly upload: (posterior: Posterior, layer: L, temperature: number, hold: Hold) => DeviceForm;
  /**
   * The same layer under another prior or damping, in the caller's `tf.tidy`. It borrows the directions of the form. Without directions
   * the layer is uploaded anew.
   */
  readonly under: (posterior: Posterior, layer: L, temperature: number, form: DeviceForm) => DeviceForm;
  /** How many numbers the tensors of a layer take while they are made and used. */
  readonly numbers: (layer: L, want: Want) => number;
}
