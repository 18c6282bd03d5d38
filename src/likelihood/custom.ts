/**
 * A likelihood of your own: the functions that you give, the operations that follow from them, and checks of the shapes that the
 * functions return.
 */
import * as tf from '@tensorflow/tfjs-core';
import { func, make, type Options, optional, text, variant } from '../codec/index.js';
import { laplaceError } from '../errors.js';
import { foldIn } from '../random/key.js';
import type { LikelihoodOps } from './likelihood.js';

export const Custom = variant('custom', {
  /** Tells this likelihood from others. Factors can be merged if their likelihoods have the same name. */
  name: text,
  /**
   * −log p(y | f) of each example, [B], with its constants. f is [B, C]. The labels y are float32 and [B, T]; labels [B] arrive
   * as [B, 1].
   */
  nll: func<(f: tf.Tensor2D, y: tf.Tensor) => tf.Tensor1D>('a function (f, y) => NLL of each example, [B]'),
  /**
   * The columns λ_k [K, B, C] of a square root of Λ: Λ_b = Σ_k λ_kb λ_kbᵀ. Λ is the Fisher matrix in f. It is the Hessian of the
   * NLL if that does not depend on the label.
   */
  hessianRoot: func<(f: tf.Tensor2D) => tf.Tensor3D>('a function f => columns of a root of the Hessian, [K, B, C]'),
  /** The gradient of the NLL in f, [B, C]. If absent, `nll` is differentiated. */
  gradient: optional(func<(f: tf.Tensor2D, y: tf.Tensor) => tf.Tensor2D>('a function (f, y) => gradients of the NLL, [B, C]')),
  /** Labels [B, T] drawn from the likelihood at f. Only the Fisher matrix `monteCarlo` needs them. */
  sample: optional(func<(f: tf.Tensor2D, seed: number) => tf.Tensor>('a function (f, seed) => labels')),
  /** E[y | f], [B, T]. Only predictions need it. */
  mean: optional(func<(f: tf.Tensor2D) => tf.Tensor2D>('a function f => means, [B, T]')),
  /** Var[y | f], [B, T]. Only predictions need it. */
  variance: optional(func<(f: tf.Tensor2D) => tf.Tensor2D>('a function f => variances, [B, T]')),
  /** Whether labels of this shape can belong to B examples with C outputs. If absent, every shape that starts with B fits. */
  labelShapeFits: optional(
    func<(shape: ReadonlyArray<number>, examples: number, outputs: number) => boolean>('a function (shape, B, C) => boolean'),
  ),
  /** A scalar: 1 if every label is in range, otherwise 0. If absent, every finite number is in range. */
  labelsInRange: optional(func<(y: tf.Tensor) => tf.Scalar>('a function y => scalar 0 or 1')),
});

/** The value of `customLikelihood`. */
type Value = (typeof Custom)['_A'];

/** Options of `customLikelihood`. */
export type CustomLikelihoodOptions = Options<typeof Custom>;

/**
 * A likelihood of your own, given by its negative log-likelihood and a square root of its Hessian in the outputs. The functions
 * run inside a `tf.tidy`. They must be made of differentiable tfjs operations, unless `gradient` is given.
 *
 * Factors and posteriors keep the value in memory, with its functions. The value is not data: `encodeRecipe` refuses it, and
 * `structuredClone` and `postMessage` throw a DataCloneError. Make the value anew, under the same name, where you need it.
 *
 * @throws LaplaceError `InvalidOption` for a missing function.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { customLikelihood } from 'tfjs-laplace';
 *
 * // Counts whose rate is softplus(f): Λ = s(f)² / softplus(f), s the sigmoid.
 * const counts = customLikelihood({
 *   name: 'poisson with a softplus link',
 *   nll: (f, y) => tf.sum(tf.sub(tf.softplus(f), tf.mul(y, tf.log(tf.softplus(f)))), 1),
 *   hessianRoot: (f) => tf.expandDims(tf.div(tf.sigmoid(f), tf.sqrt(tf.softplus(f))), 0),
 *   mean: (f) => tf.softplus(f),
 *   variance: (f) => tf.softplus(f),
 * });
 * counts._tag; // => 'custom'
 * ```
 */
export const customLikelihood = (options: CustomLikelihoodOptions): Value => make('customLikelihood', Custom, options, 'custom');

/** The operations that follow from the given functions. */
export const customOps = (own: Value): LikelihoodOps<'numbers'> => {
  const { name, nll, sample, mean, variance, labelShapeFits = firstIsBatch, labelsInRange } = own;
  const returned = <T extends tf.Tensor>(what: string, found: T, shape: ReadonlyArray<number | null>): T => {
    const fits = found.rank === shape.length && shape.every((d, i) => d === null || d === found.shape[i]);
    if (fits) return found;
    throw laplaceError('InvalidOption', {
      what: `${what} of likelihood '${name}' returned another shape`,
      field: what,
      found: `[${found.shape.join(', ')}]`,
      expected: `[${shape.map((d) => d ?? '…').join(', ')}]`,
    });
  };
  const losses = (f: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor1D => returned('nll', nll(f, y), [f.shape[0]]);
  const byAutodiff = (f: tf.Tensor2D, y: tf.Tensor2D) => tf.grad((t) => tf.sum(losses(t as tf.Tensor2D, y)))(f) as tf.Tensor2D;
  const { gradient: given = byAutodiff } = own;
  const gradient = (f: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D => returned('gradient', given(f, y), f.shape);
  return {
    name,
    predicts: 'numbers',
    links: [],
    forbidden: [],
    outputsFit: (C) => C >= 1,
    outputs: 'C >= 1',
    losses: [],
    ownLoss: 'its NLL',
    labels: () => `the labels of '${name}'`,
    labelShapeFits,
    // Labels [B] become [B, 1]. Beside outputs [B, 1] they would broadcast to [B, B].
    targets: (y) => (y.rank === 1 ? tf.reshape(tf.cast(y, 'float32'), [-1, 1]) : (tf.cast(y, 'float32') as tf.Tensor2D)),
    labelsInRange: (y) =>
      labelsInRange === undefined ? tf.scalar(1) : (tf.reshape(tf.cast(labelsInRange(y), 'float32'), []) as tf.Scalar),
    logLikelihoods: (f, targets) => tf.neg(losses(f, targets)),
    gradient,
    hessianRoot: (f) => returned('hessianRoot', own.hessianRoot(f), [null, ...f.shape]),
    sampledGradient: (f, key, samples) => {
      if (sample === undefined) throw noSampler(name);
      const all = tf.tile(f, [samples, 1]);
      const y = sample(all, foldIn(key, 0).lo);
      const labels = returned('sample', y.rank === 1 ? tf.reshape(y, [-1, 1]) : y, [
        all.shape[0],
        ...y.shape.slice(1),
        ...(y.rank === 1 ? [1] : []),
      ]);
      return tf.reshape(gradient(all, tf.cast(labels, 'float32') as tf.Tensor2D), [samples, ...f.shape]);
    },
    mean: (f) => (mean === undefined ? f : returned('mean', mean(f), [f.shape[0], null])),
    missing: (['mean', 'variance'] as const).filter((moment) => own[moment] === undefined),
    ...(variance === undefined ? {} : { variance: (f) => returned('variance', variance(f), [f.shape[0], null]) }),
  };
};

const firstIsBatch = (shape: ReadonlyArray<number>, size: number): boolean => shape.length >= 1 && shape[0] === size;

const noSampler = (name: string) =>
  laplaceError('InvalidOption', {
    what: `Likelihood '${name}' cannot draw labels`,
    field: 'sample',
    found: 'no sample function',
    expected: 'sample: (f, seed) => labels, for fisher: monteCarlo()',
    remedy: "Give customLikelihood a sample function, or use kfac({ fisher: 'exact' }), which draws no labels.",
  });
