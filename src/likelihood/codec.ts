/** Likelihoods as data: what the network's outputs f mean. Their mathematics is in the file of the same name. */
import type * as t from 'io-ts';
import {
  type Codec,
  defaulted,
  type Flat,
  type InputOf,
  make,
  type Options,
  positive,
  taggedUnion,
  variant,
} from '../codec/index.js';

const Categorical = variant('categorical', {});
const Bernoulli = variant('bernoulli', {});
const Gaussian = variant('gaussian', {
  /** σ² > 0, the same for every output. */
  noiseVariance: defaulted(positive, 1),
});

const Likelihoods = taggedUnion('a likelihood', Categorical, Bernoulli, Gaussian);

/** What the network's outputs mean. */
export type Likelihood = Flat<t.TypeOf<typeof Likelihoods>>;

/** The likelihood of one tag. What a likelihood predicts follows from it, so the constructors keep it. */
export type LikelihoodOf<T extends Likelihood['_tag']> = Extract<Likelihood, { readonly _tag: T }>;

/** What may be written for a likelihood. */
export type LikelihoodInput = Flat<InputOf<typeof Likelihoods>>;

/** Decodes a likelihood. */
export const LikelihoodCodec: Codec<Likelihood, LikelihoodInput> = Likelihoods;

/** Options of `gaussian`. */
export type GaussianOptions = Options<typeof Gaussian>;

const CATEGORICAL: LikelihoodOf<'categorical'> = Object.freeze({ _tag: 'categorical' });
const BERNOULLI: LikelihoodOf<'bernoulli'> = Object.freeze({ _tag: 'bernoulli' });

/**
 * One of C classes: p = softmax(f).
 *
 * @example
 * ```ts
 * import { categorical } from 'tfjs-laplace';
 *
 * categorical(); // => { _tag: 'categorical' }
 * ```
 */
export const categorical = (): LikelihoodOf<'categorical'> => CATEGORICAL;

/**
 * Yes or no for each output on its own: p = sigmoid(f).
 *
 * @example
 * ```ts
 * import { bernoulli } from 'tfjs-laplace';
 *
 * bernoulli(); // => { _tag: 'bernoulli' }
 * ```
 */
export const bernoulli = (): LikelihoodOf<'bernoulli'> => BERNOULLI;

/**
 * Regression: y ~ N(f, σ² I) with the given noise variance σ².
 *
 * @example
 * ```ts
 * import { gaussian } from 'tfjs-laplace';
 *
 * gaussian({ noiseVariance: 0.25 }); // => { _tag: 'gaussian', noiseVariance: 0.25 }
 * ```
 */
export const gaussian = (options: GaussianOptions = {}): LikelihoodOf<'gaussian'> => make('gaussian', Gaussian, options);
