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
  positiveEven,
  positiveInteger,
  seed,
  taggedUnion,
  variant,
} from '../codec/index.js';
import { DESIGNS } from '../random/noise.js';
import { DEFAULT_LINK, Links } from './links/index.js';

const temperature = defaulted(nonNegative, 1);
const sampling = {
  /** Networks, or noises, that are averaged; with a `standardError` the most. */
  samples: defaulted(positiveInteger, 20),
  /** T >= 0 scales the posterior's covariance; 0 is the trained network itself. */
  temperature,
  seed: defaulted(seed, 0),
  /**
   * How the draws are related: `independent`; `antithetic`, in pairs of mirror images; `quasiRandom`, spread evenly in every
   * dimension. Each draw by itself is the same distribution.
   */
  design: defaulted(literals(...DESIGNS), 'independent'),
  /**
   * The standard error to stop at: a batch takes no more draws once the standard error of each of its mean predictions (probabilities,
   * or label units) is at most this. It takes at least 8 draws, 8 pairs or 8 quasi-random draws, so that the error is known to a quarter.
   */
  standardError: optional(positive),
};

const Linearised = variant('linearised', {
  /** From the Gaussian on the outputs to probabilities. */
  link: defaulted(Links, DEFAULT_LINK),
  /** Draws of the outputs behind what the link has no closed form for: an even number, they come in pairs. */
  samples: defaulted(positiveEven, 128),
  /** Of those draws, which are common to all examples. */
  seed: defaulted(seed, 0),
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
  design: defaulted(literals(...DESIGNS), 'independent'),
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
 * The network linearised in its weights, so that outputs are Gaussian: f ~ N(f*, J Σ Jᵀ). No sampling of weights; the default.
 *
 * Of a regression the moments of labels are closed forms. Of classes the link says how probabilities p are made of the outputs:
 *
 * | link | mean of p | spread of p |
 * |---|---|---|
 * | `probit` (MacKay 1992; the default) | softmax(μ / √(1 + π/8 Σ_kk)), as laplace-torch | draws |
 * | `multiclassProbit` (Lu, Ie & Sha 2020, mf2) | a probit of every difference of two outputs | draws |
 * | `monteCarlo` | the mean over draws: exact but for their standard error, and consistent with the spread | draws |
 * | `laplaceBridge` (Hobbhahn, Kristiadi & Hennig 2022) | of a Dirichlet | of the Dirichlet |
 *
 * `customLink` makes a link of one's own.
 *
 * The spread is standard deviations and expected entropy. Under the two probits the mean is not that of the draws: where this makes
 * `mutualInformation` negative, it is 0. Draws come in antithetic pairs and are common to all examples: how a stream is cut into
 * batches changes nothing. Up to 64 outputs all links know the full covariance, beyond it variances alone.
 *
 * Independent labels (`bernoulli`): each integral is of one dimension, and `monteCarlo` takes it by quadrature in place of draws,
 * exact to 1e-11, as it does the spread for both probits (which are one and the same); the bridge is a Beta. A `customLikelihood` is
 * averaged over draws under `probit` and `monteCarlo`; the other links, and any link but the default where no output is of classes, are
 * an `InvalidOption` of the stream. Under `perOutput` the link is that of the outputs that have classes.
 *
 * At temperature 0 every link gives the trained network's own probabilities. The bridge does not tend to them with more than two classes
 * (see `laplaceBridge.ts`).
 *
 * @throws LaplaceError `InvalidOption` for options out of range.
 *
 * @example
 * ```ts
 * import { linearised } from 'tfjs-laplace';
 *
 * linearised(); // => { _tag: 'linearised', link: 'probit', samples: 128, seed: 0, temperature: 1 }
 * linearised({ link: 'monteCarlo', samples: 1000 })._tag; // => 'linearised'
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
 * activationSampling({ samples: 50 }); // => { _tag: 'activationSampling', samples: 50, temperature: 1, seed: 0, design: 'independent' }
 * ```
 */
export const activationSampling = (options: SamplingOptions = {}): Predictive =>
  make('activationSampling', ActivationSampling, options);

/**
 * Whole networks drawn from the posterior and averaged. The same networks for every batch; with a `standardError` each batch takes as
 * many of them as it needs, so that it then matters how inputs are cut into batches.
 *
 * @example
 * ```ts
 * import { weightSampling } from 'tfjs-laplace';
 *
 * weightSampling({ samples: 64, design: 'quasiRandom' })._tag; // => 'weightSampling'
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
 * functionSampling({ samples: 100 }); // => { _tag: 'functionSampling', samples: 100, temperature: 1, seed: 0, design: 'independent' }
 * ```
 */
export const functionSampling = (options: FunctionSamplingOptions = {}): Predictive =>
  make('functionSampling', FunctionSampling, options);
