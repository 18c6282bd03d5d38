/**
 * What a likelihood must offer, on device tensors. Shapes: f [B, C] are the network's outputs BEFORE the likelihood's link
 * (logits), y are labels as the user gives them, targets [B, C] the same labels as numbers that the formulas use.
 * Every NLL is of ONE example in nats, summed over its outputs, never a batch mean.
 *
 * All functions allocate inside the caller's `tf.tidy`.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Key } from '../random/key.js';

/** How a known tfjs loss relates to the NLL of a likelihood. */
export interface LossRule {
  /** The loss's name in `compile`, or the function itself. */
  readonly loss: string | ((...args: never[]) => unknown);
  /** Whether the loss expects outputs before the link (logits) or after it. */
  readonly takes: 'logits' | 'outputs';
  /** NLL of an example = scale · loss of that example + constant. */
  readonly scale: (outputs: number) => number;
}

/** The operations of one likelihood. A new likelihood is one file that makes a value of this type. */
export interface LikelihoodOps {
  readonly name: string;
  /** Names of final activations that are this likelihood's own link and are left out of the network: f comes before them. */
  readonly links: ReadonlyArray<string>;
  /** Final activations that contradict the likelihood. */
  readonly forbidden: ReadonlyArray<string>;
  /** Smallest number of outputs C that makes sense. */
  readonly minOutputs: number;
  /** The losses that are this NLL up to a factor and a constant. */
  readonly losses: ReadonlyArray<LossRule>;
  /** What labels may look like, for error messages. */
  readonly labels: (outputs: number) => string;
  /** Whether labels of this shape can belong to outputs [B, C]. */
  readonly labelShapeFits: (shape: ReadonlyArray<number>, size: number, outputs: number) => boolean;
  /** Labels as targets [B, C], float32. */
  readonly targets: (y: tf.Tensor, outputs: number) => tf.Tensor2D;
  /** Scalar in {0, 1}: 1 when every label is in range. */
  readonly labelsInRange: (y: tf.Tensor, outputs: number) => tf.Scalar;
  /** Σ over the batch of log p(y | f), in nats: a scalar. */
  readonly logLikelihood: (f: tf.Tensor2D, targets: tf.Tensor2D) => tf.Scalar;
  /** Gradient of each example's NLL in f: [B, C]. */
  readonly gradient: (f: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor2D;
  /** Columns λ_k of a square root of the NLL's Hessian Λ in f: [K, B, C] with Λ_b = Σ_k λ_kb λ_kbᵀ. */
  readonly hessianRoot: (f: tf.Tensor2D) => tf.Tensor3D;
  /** Gradients of the NLL at labels drawn from the model's own predictive: [draws, B, C]. */
  readonly sampledGradient: (f: tf.Tensor2D, key: Key, draws: number) => tf.Tensor3D;
  /** The link: probabilities [B, C] for classification, the mean itself for regression. */
  readonly mean: (f: tf.Tensor2D) => tf.Tensor2D;
}
