/**
 * What a likelihood must offer, on device tensors. Shapes: f [B, C] are the network's outputs BEFORE the likelihood's link
 * (logits), y are labels as the user gives them, targets [B, …] the same labels as numbers that the formulas use.
 * Every NLL is of ONE example in nats, summed over its outputs, never a batch mean, with every constant (log 2πσ², log y!).
 *
 * All functions allocate inside the caller's `tf.tidy`.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Key } from '../random/key.js';
import type { HessianOps } from './hessian.js';
import type { Moments } from './moments.js';

/** How a known tfjs loss relates to the NLL of a likelihood. */
export interface LossRule {
  /** The loss's name in `compile`, or the function itself. */
  readonly loss: string | ((...args: never[]) => unknown);
  /** Whether the loss expects outputs before the link (logits) or after it. */
  readonly takes: 'logits' | 'outputs';
  /** NLL of an example = scale · loss of that example + constant. */
  readonly scale: (outputs: number) => number;
}

/** What estimators need of a likelihood: functions of f and of targets, whatever these were made of. */
export interface OutputOps {
  /**
   * Weights [B] >= 0 of the examples, from their labels; absent where all are 1. They are multiplicities: an example of weight 2
   * is the example twice, in the log-likelihood, in the curvature and in the number of examples.
   */
  readonly weights?: (targets: tf.Tensor2D) => tf.Tensor1D;
  /** log p(y | f) of each example at weight 1, in nats: [B]. */
  readonly logLikelihoods: (f: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor1D;
  /** Gradient of each example's NLL in f, at weight 1: [B, C]. */
  readonly gradient: (f: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor2D;
  /**
   * Columns λ_k of a square root of the Fisher Λ in f, at weight 1: [K, B, C] with Λ_b = Σ_k λ_kb λ_kbᵀ. Λ is the NLL's Hessian
   * where that does not depend on the label. Targets matter only in that they say which steps of a sequence are left out.
   */
  readonly hessianRoot: (f: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor3D;
  /** The same Λ without columns, where it has a closed form and targets don't matter. */
  readonly hessian?: HessianOps;
  /** Gradients of the NLL at labels drawn from the model's own predictive: [draws, B, C]. Targets as for `hessianRoot`. */
  readonly sampledGradient: (f: tf.Tensor2D, key: Key, draws: number, targets: tf.Tensor2D) => tf.Tensor3D;
}

/** The likelihood of f, all outputs of a model side by side: see `perOutput.ts`. */
export interface JointOps extends OutputOps {
  /** The labels of all outputs, in the model's order, as targets [B, …], float32. */
  readonly targets: (labels: ReadonlyArray<tf.Tensor>) => tf.Tensor2D;
}

/**
 * What a likelihood predicts: one of C `classes`, whose probabilities are one distribution; `labels`, each yes or no independently of the
 * others, so that their entropies are summed; real `numbers`; or the `counts` 0, 1, 2, ….
 */
export type Outcome = 'classes' | 'labels' | 'numbers' | 'counts';

/** Neighbouring columns of f, and the operations of the likelihood that reads them. */
export interface Part {
  readonly ops: LikelihoodOps;
  /** How many columns. */
  readonly outputs: number;
}

/** The operations of one output's likelihood. A new likelihood is one file that makes a value of this type. */
export interface LikelihoodOps<O extends Outcome = Outcome> extends OutputOps {
  readonly name: string;
  /** The kind of label that predictions are about. */
  readonly predicts: O;
  /** Names of final activations that are this likelihood's own link. The network leaves them out: f comes before them. */
  readonly links: ReadonlyArray<string>;
  /** Final activations that contradict the likelihood. */
  readonly forbidden: ReadonlyArray<string>;
  /** Whether the likelihood fits C outputs. */
  readonly outputsFit: (outputs: number) => boolean;
  /** The numbers of outputs that fit, for error messages: 'C >= 2'. */
  readonly outputs: string;
  /** What to do about C outputs that don't fit, where there is an answer. */
  readonly remedy?: (outputs: number) => string;
  /** One step of a sequence, where the model's outputs are [B, S, C]; f then has all steps side by side, [B, S·C]. */
  readonly step?: Part;
  /** The losses of tfjs that are this NLL up to a factor and a constant. */
  readonly losses: ReadonlyArray<LossRule>;
  /** The NLL as code of a loss function, for error messages where no loss of tfjs is this NLL. */
  readonly ownLoss?: string;
  /** What labels may look like, for error messages. */
  readonly labels: (outputs: number) => string;
  /** Whether labels of this shape can belong to outputs [B, C]. */
  readonly labelShapeFits: (shape: ReadonlyArray<number>, size: number, outputs: number) => boolean;
  /** Labels as targets [B, …], float32. */
  readonly targets: (y: tf.Tensor, outputs: number) => tf.Tensor2D;
  /** How many numbers the targets of an example have. Without it the labels decide. */
  readonly targetWidth?: (outputs: number) => number;
  /** Scalar in {0, 1}: 1 when every label is in range. */
  readonly labelsInRange: (y: tf.Tensor, outputs: number) => tf.Scalar;
  /** E[y | f]: probabilities [B, C] for classification, the mean of every label [B, T] for regression. */
  readonly mean: (f: tf.Tensor2D) => tf.Tensor2D;
  /** Var[y | f] of every label, [B, T]; for a regression only. */
  readonly variance?: (f: tf.Tensor2D) => tf.Tensor2D;
  /**
   * Moments of each of an example's T labels for outputs f ~ N(mean, diag variance), [C] each: for a regression with a closed form.
   * Without it a regression is averaged over draws of f.
   */
  readonly gaussianMoments?: (mean: ArrayLike<number>, variance: ArrayLike<number>) => ReadonlyArray<Moments>;
  /** The functions that a `customLikelihood` was not given and that predictions need. */
  readonly missing?: ReadonlyArray<'mean' | 'variance'>;
}
