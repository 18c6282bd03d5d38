/**
 * The same likelihood for every step of a sequence. The outputs of all steps lie side by side in f [B, S·C]. The NLL of an
 * example is Σ_s w_s NLL(f_s, y_s), where w_s is the weight of the step. It is 0 for a step that `ignoreLabel` leaves out. Λ is
 * block-diagonal over steps.
 *
 * Targets [B, S·(T + 1)] hold the targets of each step, and then its weight.
 */
import * as tf from '@tensorflow/tfjs-core';
import { beside, type Flat, finite, make, type Options, optional, taggedUnion, variant } from '../codec/index.js';
import type { LikelihoodOps } from './likelihood.js';
import { REGISTERED, registeredOps, type StepLikelihood } from './registered.js';

export const PerStep = variant('perStep', {
  /** The likelihood of every step. */
  each: taggedUnion('a likelihood of one step', ...REGISTERED),
  /** A step does not count if all its labels are this number. If absent, all steps count. */
  ignoreLabel: optional(finite),
});

/** The value of `perStep`. */
type Value = (typeof PerStep)['_A'];

/** Options of `perStep` beside the likelihood. */
export type PerStepOptions = Flat<Omit<Options<typeof PerStep>, 'each'>>;

/**
 * The same likelihood for every step of a sequence. Outputs are [B, S, C], and labels are [B, S] or [B, S, T]. The log-likelihood
 * of an example is the sum over its steps. A step does not count if all its labels are `ignoreLabel` (padding).
 *
 * @throws LaplaceError `InvalidOption` if `each` is not a likelihood of one step.
 *
 * @example
 * ```ts
 * import { perStep, poisson } from 'tfjs-laplace';
 *
 * perStep(poisson(), { ignoreLabel: -1 }); // => { _tag: 'perStep', each: { _tag: 'poisson' }, ignoreLabel: -1 }
 * ```
 */
export const perStep = (each: StepLikelihood, options: PerStepOptions = {}): Value =>
  make('perStep', PerStep, beside('perStep', options, { each }));

/** The operations of all steps of a sequence, each with C outputs. */
export const perStepOps = ({ each: likelihood, ignoreLabel }: Value, C: number): LikelihoodOps => {
  const each = registeredOps(likelihood);
  /** Turns [B, S·C] into one row for each step, [B·S, C]. */
  const steps = (f: tf.Tensor2D): tf.Tensor2D => tf.reshape(f, [-1, C]);
  const joined = (rows: tf.Tensor, B: number): tf.Tensor2D => tf.reshape(rows, [B, -1]);
  const stepLabels = (y: tf.Tensor): tf.Tensor => tf.reshape(tf.cast(y, 'float32'), [-1, ...y.shape.slice(2)]);

  /** Whether each step counts, [B·S, 1]. */
  const counts = (labels: tf.Tensor): tf.Tensor2D => {
    const rows = tf.reshape(labels, [labels.shape[0] as number, -1]);
    if (ignoreLabel === undefined) return tf.ones([rows.shape[0] as number, 1]);
    return tf.cast(tf.any(tf.notEqual(rows, ignoreLabel), 1, true), 'float32') as tf.Tensor2D;
  };
  /** The labels, with a harmless label, (1, 0, …) or 0, at each step that does not count. Its own label may be out of range. */
  const harmless = (labels: tf.Tensor, counted: tf.Tensor2D): tf.Tensor => {
    const rows = tf.reshape(labels, [labels.shape[0] as number, -1]);
    const T = rows.shape[1] as number;
    const blank = T === 1 ? tf.zeros([1, 1]) : tf.oneHot(tf.tensor1d([0], 'int32'), T);
    return tf.reshape(tf.where(tf.cast(tf.tile(counted, [1, T]), 'bool'), rows, tf.cast(blank, 'float32')), labels.shape);
  };
  const split = (targets: tf.Tensor2D, f: tf.Tensor2D): { own: tf.Tensor2D; weights: tf.Tensor2D } => {
    const rows = tf.reshape(targets, [f.size / C, -1]) as tf.Tensor2D;
    const T = (rows.shape[1] as number) - 1;
    return { own: tf.slice(rows, [0, 0], [-1, T]), weights: tf.slice(rows, [0, T], [-1, 1]) };
  };

  const width = each.targetWidth?.(C);
  return {
    name: `per-step ${each.name}`,
    predicts: each.predicts,
    step: { ops: each, outputs: C },
    links: each.links,
    forbidden: each.forbidden,
    outputsFit: (outputs) => outputs % C === 0 && each.outputsFit(C),
    outputs: each.outputs,
    // tfjs averages over steps too, and leaves none out.
    losses:
      ignoreLabel === undefined && each.weights === undefined
        ? each.losses.map((rule) => ({ ...rule, scale: (outputs) => (outputs / C) * rule.scale(C) }))
        : [],
    ownLoss: `the mean over steps of ${each.ownLoss ?? 'that loss'}, without the steps that are left out`,
    labels: (outputs) => `for each of ${outputs / C} steps (dimension 2): ${each.labels(C)}`,
    labelShapeFits: ([size, S, ...rest], examples, outputs) =>
      size === examples && S === outputs / C && each.labelShapeFits([size * S, ...rest], size * S, C),
    targets: (y) => {
      const labels = stepLabels(y);
      const counted = counts(labels);
      const own = each.targets(harmless(labels, counted), C);
      const weights = each.weights === undefined ? counted : tf.mul(counted, tf.expandDims(each.weights(own), 1));
      return joined(tf.concat([own, weights], 1), y.shape[0] as number);
    },
    ...(width === undefined ? {} : { targetWidth: (outputs) => (outputs / C) * (width + 1) }),
    labelsInRange: (y) => {
      const labels = stepLabels(y);
      return each.labelsInRange(harmless(labels, counts(labels)), C);
    },
    logLikelihoods: (f, targets) => {
      const { own, weights } = split(targets, f);
      const values = tf.mul(each.logLikelihoods(steps(f), own), tf.squeeze(weights, [1]));
      return tf.sum(joined(values, f.shape[0]), 1);
    },
    gradient: (f, targets) => {
      const { own, weights } = split(targets, f);
      return joined(tf.mul(each.gradient(steps(f), own), weights), f.shape[0]);
    },
    hessianRoot: (f, targets) => {
      const { own, weights } = split(targets, f);
      const columns = tf.mul(each.hessianRoot(steps(f), own), tf.sqrt(weights));
      const [K, B] = [columns.shape[0] as number, f.shape[0]];
      const S = f.shape[1] / C;
      // Column (s, k) is the k-th column at step s, and 0 at all other steps.
      const placed = tf.mul(tf.reshape(tf.eye(S), [S, 1, 1, S, 1]), tf.reshape(columns, [1, K, B, S, C]));
      return tf.reshape(placed, [S * K, B, S * C]);
    },
    sampledGradient: (f, key, samples, targets) => {
      const { own, weights } = split(targets, f);
      const drawn = tf.mul(each.sampledGradient(steps(f), key, samples, own), tf.sqrt(weights));
      return tf.reshape(drawn, [samples, ...f.shape]);
    },
    mean: (f) => joined(each.mean(steps(f)), f.shape[0]),
    ...(each.variance === undefined
      ? {}
      : { variance: (f: tf.Tensor2D) => joined((each.variance as typeof each.mean)(steps(f)), f.shape[0]) }),
  };
};
