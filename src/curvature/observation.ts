/** The input and the output of an estimator: it reads an `Observation` and writes into a `Sink` (`estimator.ts`). */
import type * as tf from '@tensorflow/tfjs-core';
import type { OutputOps } from '../likelihood/likelihood.js';
import type { Tape } from '../network/forward.js';
import type { Network } from '../network/network.js';
import type { Key } from '../random/key.js';

/** Collects an estimator's sums. `layer` is the index of a layer in the layout, and `part` is the name of one of its sums. */
export interface Sink {
  /**
   * Adds Σ r rᵀ over rows [R, d], or over each group's rows [P, R, d]. The sink takes the rows over, so they must have been made
   * for this call.
   */
  readonly gram: (layer: number, part: string, rows: tf.Tensor2D | tf.Tensor3D) => void;
  /** Adds a sum that has been computed already. */
  readonly add: (layer: number, part: string, sum: tf.Tensor) => void;
  /** The sink of one output's share of the gradient side. Absent if outputs are summed together. */
  readonly share?: (output: number) => Sink;
}

/** One batch at fixed weights. */
export interface Observation {
  readonly network: Network;
  readonly tape: Tape;
  readonly targets: tf.Tensor2D;
  /** The batch's own random key, so that batches draw independently. */
  readonly key: Key;
  /** How often each example counts, [B]. If absent, each counts once. */
  readonly weights?: tf.Tensor1D | undefined;
}

/** The outputs of some examples, with their targets and the likelihood. */
export interface OutputRows {
  readonly likelihoodOps: OutputOps;
  /** f [B, C], before the link. */
  readonly outputs: tf.Tensor2D;
  readonly targets: tf.Tensor2D;
  readonly key: Key;
}

/** Computes the gradients in f that are sent back: g [K, B, C], so that Σ_k E[g_k g_kᵀ] is the Fisher of each example in f. */
export type Columns = (rows: OutputRows) => tf.Tensor3D;
