/** Likelihoods as data: what the network's outputs f mean. Their mathematics is in the file of the same name. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as t from 'io-ts';
import {
  anyOf,
  array,
  type Codec,
  defaulted,
  dictionary,
  type Flat,
  finite,
  fraction,
  func,
  type InputOf,
  nonNegative,
  type Options,
  optional,
  positive,
  taggedUnion,
  text,
  variant,
} from '../codec/index.js';

const classes = {
  /** α: labels become (1 − α) y + α/C, as tfjs's losses smooth them. */
  labelSmoothing: defaulted(fraction, 0),
  /** Weight >= 0 of the examples of each class, as `fit` has them; without it every example weighs 1. */
  classWeights: optional(array('an array of weights, one for each class', nonNegative)),
};

export const Categorical = variant('categorical', classes);
export const Bernoulli = variant('bernoulli', classes);
export const Gaussian = variant('gaussian', {
  /** σ² > 0: one for every output, or one each. */
  noiseVariance: defaulted(
    anyOf(positive, array('an array of finite numbers > 0, one for each output', positive), Array.isArray),
    1,
  ),
});
const Heteroscedastic = variant('heteroscedastic', {});
const Poisson = variant('poisson', {});
export const Custom = variant('custom', {
  /** Says which likelihood this is: factors merge when their likelihoods have one name. */
  name: text,
  /** −log p(y | f) of each example, [B], with its constants. f [B, C]; y [B, T] are the labels as float32, [B] made [B, 1]. */
  nll: func<(f: tf.Tensor2D, y: tf.Tensor) => tf.Tensor1D>('a function (f, y) => NLL of each example, [B]'),
  /** λ_k with Λ_b = Σ_k λ_kb λ_kbᵀ, the Fisher, or the NLL's Hessian where it is none of the label's: [K, B, C]. */
  hessianRoot: func<(f: tf.Tensor2D) => tf.Tensor3D>('a function f => columns of a root of the Hessian, [K, B, C]'),
  /** Gradient of the NLL in f, [B, C]; without it by autodiff of `nll`. */
  gradient: optional(func<(f: tf.Tensor2D, y: tf.Tensor) => tf.Tensor2D>('a function (f, y) => gradients of the NLL, [B, C]')),
  /** Labels [B, T] drawn at f; only `monteCarlo` needs it. */
  sample: optional(func<(f: tf.Tensor2D, seed: number) => tf.Tensor>('a function (f, seed) => labels')),
  /** E[y | f], [B, T]; only predictions need it. */
  mean: optional(func<(f: tf.Tensor2D) => tf.Tensor2D>('a function f => means, [B, T]')),
  /** Var[y | f], [B, T]; only predictions need it. */
  variance: optional(func<(f: tf.Tensor2D) => tf.Tensor2D>('a function f => variances, [B, T]')),
  /** Whether labels of this shape can belong to B examples with C outputs; without it any with B in front. */
  labelShapeFits: optional(
    func<(shape: ReadonlyArray<number>, examples: number, outputs: number) => boolean>('a function (shape, B, C) => boolean'),
  ),
  /** Scalar, 1 when every label is in range; without it every finite number is. */
  labelsInRange: optional(func<(y: tf.Tensor) => tf.Scalar>('a function y => scalar 0 or 1')),
});

const ofOneStep = [Categorical, Bernoulli, Gaussian, Heteroscedastic, Poisson, Custom] as const;
export const PerStep = variant('perStep', {
  /** The likelihood of every step. */
  each: taggedUnion('a likelihood of one step', ...ofOneStep),
  /** Steps all of whose labels are this number count nothing; without it all steps count. */
  ignoreLabel: optional(finite),
});

const ofOneOutput = [...ofOneStep, PerStep] as const;
export const PerOutput = variant('perOutput', {
  /** The likelihood of every output, by its name in the model. */
  outputs: dictionary(
    'an object with a likelihood for each output, by its name',
    taggedUnion('a likelihood of one output', ...ofOneOutput),
  ),
});

const Likelihoods = taggedUnion('a likelihood', ...ofOneOutput, PerOutput);

/** What the network's outputs mean. */
export type Likelihood = Flat<t.TypeOf<typeof Likelihoods>>;

/** The likelihood of one tag. What a likelihood predicts follows from it, so the constructors keep it. */
export type LikelihoodOf<T extends Likelihood['_tag']> = Extract<Likelihood, { readonly _tag: T }>;

/** A likelihood of one output of a model: any but `perOutput`. */
export type OutputLikelihood = Exclude<Likelihood, LikelihoodOf<'perOutput'>>;

/** Likelihoods of all outputs of a model, by their names. */
export type OutputLikelihoods = Readonly<Record<string, OutputLikelihood>>;

/** A likelihood for each output. What is predicted of each follows from it, so the constructor keeps them. */
export type PerOutput<O extends OutputLikelihoods = OutputLikelihoods> = {
  readonly _tag: 'perOutput';
  readonly outputs: O;
};

/** A likelihood for the steps of a sequence: any but another `perStep`. */
export type StepLikelihood = LikelihoodOf<'perStep'>['each'];

/** What may be written for a likelihood. */
export type LikelihoodInput = Flat<InputOf<typeof Likelihoods>>;

/** Decodes a likelihood. */
export const LikelihoodCodec: Codec<Likelihood, LikelihoodInput> = Likelihoods;

/** Options of `categorical` and `bernoulli`. */
export type ClassOptions = Options<typeof Categorical>;

/** Options of `gaussian`. */
export type GaussianOptions = Options<typeof Gaussian>;

/** Options of `customLikelihood`. */
export type CustomLikelihoodOptions = Options<typeof Custom>;

/** Options of `perStep` beside the likelihood. */
export type PerStepOptions = Flat<Omit<Options<typeof PerStep>, 'each'>>;

/** True for a likelihood that is data: one that holds no function, and can be stored, cloned and sent. */
export function isData(likelihood: Likelihood): likelihood is Exclude<Likelihood, LikelihoodOf<'custom'>> {
  switch (likelihood._tag) {
    case 'custom':
      return false;
    case 'perStep':
      return isData(likelihood.each);
    case 'perOutput':
      return Object.values(likelihood.outputs).every(isData);
    default:
      return true;
  }
}
