/** What estimators work on and what they produce: see `estimator.ts`. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Tape } from '../network/forward.js';
import type { Network } from '../network/network.js';
import type { Key } from '../random/key.js';

/** Where an estimator puts what is summed; `layer` and `part` count the layout's layers and the sums of one layer. */
export interface Sink {
  /** Adds Σ r rᵀ of rows [R, d], or of each group's rows [P, R, d]. */
  readonly gram: (layer: number, part: number, rows: tf.Tensor2D | tf.Tensor3D) => void;
  /** Adds a sum that is there already. */
  readonly add: (layer: number, part: number, sum: tf.Tensor) => void;
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

/** Gradients in f to send back for one batch: [K, B, C] with G = Σ_k E[g_k g_kᵀ]. */
export type Columns = (observation: Observation) => tf.Tensor3D;
