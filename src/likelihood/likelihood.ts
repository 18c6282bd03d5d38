/**
 * The interface of a likelihood, on device tensors. f [B, C] are the network's outputs before the likelihood's link (logits). y
 * are labels as the user gives them, and targets [B, …] are the same labels as numbers that the formulas use. Every NLL is in
 * nats, for one example, summed over its outputs, with every constant (log 2πσ², log y!). It is never a batch mean.
 *
 * Everything is allocated inside the caller's `tf.tidy`.
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
  /** The NLL of an example is scale · (loss of that example) + a constant. */
  readonly scale: (outputs: number) => number;
}

/** The operations that estimators need: functions of f and of targets. */
export interface OutputOps {
  /**
   * The weights [B] >= 0 of the examples, from their labels. Absent if all are 1. An example of weight 2 counts as two examples:
   * in the log-likelihood, in the curvature and in the number of examples.
   */
  readonly weights?: (targets: tf.Tensor2D) => tf.Tensor1D;
  /** log p(y | f) of each example at weight 1, in nats: [B]. */
  readonly logLikelihoods: (f: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor1D;
  /** Gradient of each example's NLL in f, at weight 1: [B, C]. */
  readonly gradient: (f: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor2D;
  /**
   * The columns λ_k of a square root of the Fisher matrix Λ in f, at weight 1: [K, B, C] with Λ_b = Σ_k λ_kb λ_kbᵀ. Λ is the
   * Hessian of the NLL if that does not depend on the label. Targets only say which steps of a sequence are left out.
   */
  readonly hessianRoot: (f: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor3D;
  /** The same Λ without columns. Absent if Λ has no closed form, or depends on targets. */
  readonly hessian?: HessianOps;
  /**
   * Gradients of the NLL at labels that are drawn from the model's own predictive: [samples, B, C]. Targets as for `hessianRoot`.
   */
  readonly sampledGradient: (f: tf.Tensor2D, key: Key, samples: number, targets: tf.Tensor2D) => tf.Tensor3D;
}

/** The likelihood of all outputs of a model, which lie side by side in f (`perOutput.ts`). */
export interface ModelLikelihoodOps extends OutputOps {
  /** The labels of all outputs, in the model's order, as targets [B, …], float32. */
  readonly targets: (labels: ReadonlyArray<tf.Tensor>) => tf.Tensor2D;
}

/**
 * What a likelihood predicts. `classes`: one of C classes, whose probabilities are one distribution. `labels`: several labels,
 * each yes or no independently of the others, so that their entropies are summed. `numbers`: real numbers. `counts`: 0, 1, 2, ….
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
  /**
   * Names of final activations that are this likelihood's own link. The network leaves them out, so f is the value before them.
   */
  readonly links: ReadonlyArray<string>;
  /** Final activations that contradict the likelihood. */
  readonly forbidden: ReadonlyArray<string>;
  /** Whether the likelihood fits C outputs. */
  readonly outputsFit: (outputs: number) => boolean;
  /** Which numbers of outputs fit, for error messages: 'C >= 2'. */
  readonly outputs: string;
  /** What to do about C outputs that do not fit. Absent if there is no answer. */
  readonly remedy?: (outputs: number) => string;
  /** One step of a sequence, if the model's outputs are [B, S, C]. Then f has all steps side by side, [B, S·C]. */
  readonly step?: Part;
  /** The losses of tfjs that are this NLL up to a factor and a constant. */
  readonly losses: ReadonlyArray<LossRule>;
  /** The NLL as code of a loss function. Error messages show it if no loss of tfjs is this NLL. */
  readonly ownLoss?: string;
  /** What labels may look like, for error messages. */
  readonly labels: (outputs: number) => string;
  /** Whether labels of this shape can belong to outputs [B, C]. */
  readonly labelShapeFits: (shape: ReadonlyArray<number>, size: number, outputs: number) => boolean;
  /** Labels as targets [B, …], float32. */
  readonly targets: (y: tf.Tensor, outputs: number) => tf.Tensor2D;
  /** How many numbers the targets of an example have. If absent, the labels decide. */
  readonly targetWidth?: (outputs: number) => number;
  /** A scalar: 1 if every label is in range, otherwise 0. */
  readonly labelsInRange: (y: tf.Tensor, outputs: number) => tf.Scalar;
  /** E[y | f]: probabilities [B, C] for classification, the mean of every label [B, T] for regression. */
  readonly mean: (f: tf.Tensor2D) => tf.Tensor2D;
  /** Var[y | f] of every label, [B, T]. Only regressions have it. */
  readonly variance?: (f: tf.Tensor2D) => tf.Tensor2D;
  /**
   * The moments of each of an example's T labels for outputs f ~ N(mean, diag variance), [C] each, in closed form. If a
   * regression has none, its moments are averages over samples of f.
   */
  readonly gaussianMoments?: (mean: ArrayLike<number>, variance: ArrayLike<number>) => ReadonlyArray<Moments>;
  /** The functions that predictions need and that a `customLikelihood` was not given. */
  readonly missing?: ReadonlyArray<'mean' | 'variance'>;
}
