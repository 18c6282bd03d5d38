/** What estimators work on and what they produce: see `estimator.ts`. */
import type * as tf from '@tensorflow/tfjs-core';
import type { OutputOps } from '../likelihood/likelihood.js';
import type { Tape } from '../network/forward.js';
import type { Network } from '../network/network.js';
import type { Key } from '../random/key.js';

/** Where an estimator puts what is summed: `layer` is the number of a layer in the layout, `part` the name of one of its sums. */
export interface Sink {
  /** Adds Σ r rᵀ of rows [R, d], or of each group's rows [P, R, d], and keeps them: a tensor that was made for this call. */
  readonly gram: (layer: number, part: string, rows: tf.Tensor2D | tf.Tensor3D) => void;
  /** Adds a sum that is there already. */
  readonly add: (layer: number, part: string, sum: tf.Tensor) => void;
}

/** One batch at fixed weights. */
export interface Observation {
  readonly network: Network;
  readonly tape: Tape;
  readonly targets: tf.Tensor2D;
  /** Own to this batch, so that batches draw independently. */
  readonly key: Key;
  /** How often each example counts, [B]; once without. */
  readonly weights?: tf.Tensor1D | undefined;
}

/** Outputs of some examples and what belongs to them. */
export interface OutputRows {
  readonly likelihoodOps: OutputOps;
  /** f [B, C]. */
  readonly outputs: tf.Tensor2D;
  readonly targets: tf.Tensor2D;
  readonly key: Key;
}

/** Gradients in f to send back: [K, B, C] with G = Σ_k E[g_k g_kᵀ]. */
export type Columns = (rows: OutputRows) => tf.Tensor3D;
