/** What estimators work on and what they produce: see `estimator.ts`. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Tape } from '../network/forward.js';
import type { Network } from '../network/network.js';
import type { Key } from '../random/key.js';

/** Where an estimator puts its rows; `layer` counts the network's blocks. */
export interface RowSink {
  readonly input: (layer: number, rows: tf.Tensor2D) => void;
  readonly gradient: (layer: number, rows: tf.Tensor2D) => void;
}

/** One batch at fixed weights. */
export interface Observation {
  readonly network: Network;
  readonly tape: Tape;
  readonly targets: tf.Tensor2D;
  /** Own to this batch, so that batches draw independently. */
  readonly key: Key;
}

/** Gradients in f to send back for one batch: [K, B, C] with G = Σ_k E[g_k g_kᵀ]. */
export type Columns = (observation: Observation) => tf.Tensor3D;
