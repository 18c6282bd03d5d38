/** Predictives as data: how uncertainty in the weights becomes uncertainty in predictions. */
import type * as t from 'io-ts';
import {
  type Codec,
  defaulted,
  type Flat,
  type InputOf,
  literals,
  make,
  nonNegative,
  type Options,
  optional,
  positive,
  positiveInteger,
  seed,
  taggedUnion,
  variant,
} from '../codec/index.js';
import { DRAWS } from '../random/noise.js';

const temperature = defaulted(nonNegative, 1);
const sampling = {
  /** Networks, or noises, that are averaged; with a `precision` the most. */
  samples: defaulted(positiveInteger, 20),
  /** T >= 0 scales the posterior's covariance; 0 is the trained network itself. */
  temperature,
  seed: defaulted(seed, 0),
  /**
   * How the draws are related: `independent`; `antithetic`, in pairs of mirror images; `quasiRandom`, spread evenly in every
   * dimension. Each draw by itself is the same distribution.
   */
  draws: defaulted(literals(...DRAWS), 'independent'),
  /**
   * No more draws for a batch once the standard error of every mean prediction in it (probabilities, or label units) is at most this:
   * after 8 draws, 8 pairs or 8 quasi-random draws at the earliest, for errors that are themselves known to a quarter or so.
   */
  precision: optional(positive),
};

const Linearised = variant('linearised', {
  /** From the Gaussian on the outputs to probabilities. */
  link: defaulted(literals('probit'), 'probit'),
  /** T >= 0 scales the posterior's covariance; 0 is the trained network itself. */
  temperature,
});
const ActivationSampling = variant('activationSampling', sampling);
const WeightSampling = variant('weightSampling', sampling);
const FunctionSampling = variant('functionSampling', {
  /** Functions that are averaged. */
  samples: defaulted(positiveInteger, 20),
  /** T >= 0 scales the posterior's covariance; 0 is the trained network itself. */
  temperature,
  seed: defaulted(seed, 0),
  /** As in `weightSampling`. */
  draws: defaulted(literals(...DRAWS), 'independent'),
});

const Predictives = taggedUnion('a predictive', Linearised, ActivationSampling, WeightSampling, FunctionSampling);

/** How predictions are made under a posterior. */
export type Predictive = Flat<t.TypeOf<typeof Predictives>>;

/** A predictive of these kinds. */
export type PredictiveOf<K extends Predictive['_tag']> = Extract<Predictive, { readonly _tag: K }>;

/** What may be written for a predictive. */
export type PredictiveInput = Flat<InputOf<typeof Predictives>>;

/** Decodes a predictive. */
export const PredictiveCodec: Codec<Predictive, PredictiveInput> = Predictives;

/** Options of `linearised`. */
export type LinearisedOptions = Options<typeof Linearised>;

/** Options of `activationSampling` and `weightSampling`. */
export type SamplingOptions = Options<typeof WeightSampling>;

/** Options of `functionSampling`. */
export type FunctionSamplingOptions = Options<typeof FunctionSampling>;

/**
 * The network linearised in its weights, so that outputs are Gaussian: f ~ N(f*, J Σ Jᵀ). No sampling, no seed; the default.
 *
 * @example
 * ```ts
 * import { linearised } from 'tfjs-laplace';
 *
 * linearised(); // => { _tag: 'linearised', link: 'probit', temperature: 1 }
 * ```
 */
export const linearised = (options: LinearisedOptions = {}): Predictive => make('linearised', Linearised, options);

/**
 * Noise on every pre-activation, with the variance that the weights' posterior gives it for that example. Layers that meet an example
 * more than once (convolutions, sequences, layers used twice) or have groups take one draw of their weights for the whole batch:
 * every example's own predictive is that of weight sampling either way.
 *
 * @example
 * ```ts
 * import { activationSampling } from 'tfjs-laplace';
 *
 * activationSampling({ samples: 50 }); // => { _tag: 'activationSampling', samples: 50, temperature: 1, seed: 0, draws: 'independent' }
 * ```
 */
export const activationSampling = (options: SamplingOptions = {}): Predictive =>
  make('activationSampling', ActivationSampling, options);

/**
 * Whole networks drawn from the posterior and averaged. The same networks for every batch; with a `precision` each batch takes as
 * many of them as it needs, so that it then matters how inputs are cut into batches.
 *
 * @example
 * ```ts
 * import { weightSampling } from 'tfjs-laplace';
 *
 * weightSampling({ samples: 64, draws: 'quasiRandom' })._tag; // => 'weightSampling'
 * ```
 */
export const weightSampling = (options: SamplingOptions = {}): Predictive => make('weightSampling', WeightSampling, options);

/**
 * Functions drawn from the linearised network, f* + J δ with the weights' draws δ of `weightSampling`, sent through the likelihood's own
 * link and averaged: what `linearised` approximates by a formula, up to 1/√samples, for any link. The same functions for every batch.
 *
 * @example
 * ```ts
 * import { functionSampling } from 'tfjs-laplace';
 *
 * functionSampling({ samples: 100 }); // => { _tag: 'functionSampling', samples: 100, temperature: 1, seed: 0, draws: 'independent' }
 * ```
 */
export const functionSampling = (options: FunctionSamplingOptions = {}): Predictive =>
  make('functionSampling', FunctionSampling, options);
