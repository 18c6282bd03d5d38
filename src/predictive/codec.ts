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
const scale = defaulted(positive, 1);
const sampling = {
  /** How many networks, or draws of noise, are averaged. With a `standardError` it is the largest number. */
  samples: defaulted(positiveInteger, 20),
  /** T >= 0 scales the posterior's covariance; 0 is the trained network itself. */
  temperature,
  /** s > 0 multiplies the outputs f* of the trained network, for classes and independent labels: a draw f becomes s f* + (f − f*). */
  scale,
  seed: defaulted(seed, 0),
  /**
   * How the draws are related: `independent`; `antithetic`, in pairs of mirror images; `quasiRandom`, spread evenly in every
   * dimension. Each draw by itself has the same distribution under every design.
   */
  design: defaulted(literals(...DESIGNS), 'independent'),
  /**
   * The standard error at which to stop. A batch takes no more draws once the standard error of each of its mean predictions is
   * at most this. Its unit is probability, or the unit of the labels. At least 8 draws, 8 pairs or 8 quasi-random draws are
   * taken, so that the error itself is known to within a quarter.
   */
  standardError: optional(positive),
};

const Linearised = variant('linearised', {
  /** How the Gaussian on the outputs becomes probabilities. */
  link: defaulted(Links, DEFAULT_LINK),
  /** How many draws of the outputs are averaged if the link has no closed form. It is even, because draws come in pairs. */
  samples: defaulted(positiveEven, 128),
  /** The seed of these draws, which are common to all examples. */
  seed: defaulted(seed, 0),
  /** T >= 0 scales the posterior's covariance; 0 is the trained network itself. */
  temperature,
  /** s > 0 multiplies the mean of the outputs, for classes and independent labels: f ~ N(s f*, T J Σ Jᵀ). */
  scale,
});
const ActivationSampling = variant('activationSampling', sampling);
const WeightSampling = variant('weightSampling', sampling);
const FunctionSampling = variant('functionSampling', {
  /** How many functions are averaged. */
  samples: defaulted(positiveInteger, 20),
  /** T >= 0 scales the posterior's covariance; 0 is the trained network itself. */
  temperature,
  /** As in `weightSampling`. */
  scale,
  seed: defaulted(seed, 0),
  /** As in `weightSampling`. */
  design: defaulted(literals(...DESIGNS), 'independent'),
});

const Predictives = taggedUnion('a predictive', Linearised, ActivationSampling, WeightSampling, FunctionSampling);

/** A predictive: how predictions are made under a posterior. */
export type Predictive = Flat<t.TypeOf<typeof Predictives>>;

/** A predictive of the kinds K. */
export type PredictiveOf<K extends Predictive['_tag']> = Extract<Predictive, { readonly _tag: K }>;

/** The accepted input for a predictive: options with a default may be left out. */
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
 * The default predictive. It linearises the network in its weights, which makes the outputs Gaussian: f ~ N(f*, J Σ Jᵀ). No
 * weights are sampled.
 *
 * For a regression, closed forms give the moments of the labels. For classes, the link decides how the outputs become
 * probabilities p:
 *
 * | link | mean of p | spread of p |
 * |---|---|---|
 * | `probit` (MacKay 1992; the default) | softmax(μ / √(1 + π/8 Σ_kk)), as in laplace-torch | from draws |
 * | `multiclassProbit` (Lu, Ie & Sha 2020, mf2) | a probit of every difference of two outputs | from draws |
 * | `monteCarlo` | the mean over draws: exact apart from its standard error, and consistent with the spread | from draws |
 * | `laplaceBridge` (Hobbhahn, Kristiadi & Hennig 2022) | the mean of a Dirichlet | the spread of the Dirichlet |
 *
 * `customLink` makes a link of your own.
 *
 * The spread is the standard deviations and the expected entropy. Under the two probits the mean is not the mean of the draws. If
 * this would make `mutualInformation` negative, 0 is reported. Draws come in antithetic pairs and are common to all examples, so
 * the results do not depend on how a stream is cut into batches. Up to 64 outputs all links use the full covariance; beyond that,
 * they use only the variances.
 *
 * With independent labels (`bernoulli`) each integral has one dimension. `monteCarlo` then uses quadrature instead of draws,
 * exact to 1e-11. The two probits agree, and take their spread from the same quadrature. The bridge is a Beta distribution.
 *
 * A `customLikelihood` is averaged over draws under `probit` and `monteCarlo`. The other links make its stream fail with
 * `InvalidOption`. For all other likelihoods without classes, only the default link is allowed. Under `perOutput` the link
 * applies to the outputs that have classes.
 *
 * `scale` sharpens (s > 1) or softens (s < 1) the mean of the outputs, and leaves their covariance as it is: f ~ N(s f*, T J Σ Jᵀ). The
 * order of the classes stays, up to the covariance. A wide posterior shrinks probabilities towards uniform ones, and a scale above 1
 * makes up for it: so τ and s are chosen together. At temperature 0 the scale is the inverse of a softmax's own temperature.
 *
 * The type of the value remembers a link that was named: `composeRecipe` refuses one for a regression.
 *
 * At temperature 0 and scale 1 every link gives the trained network's own probabilities. With more than two classes the bridge does not tend
 * to them as the temperature goes to 0 (see `laplaceBridge.ts`).
 *
 * @throws LaplaceError `InvalidOption` if an option is out of range.
 *
 * @example
 * ```ts
 * import { linearised } from 'tfjs-laplace';
 *
 * linearised(); // => { _tag: 'linearised', link: 'probit', samples: 128, seed: 0, temperature: 1, scale: 1 }
 * linearised({ link: 'monteCarlo', samples: 1000 })._tag; // => 'linearised'
 * ```
 */
export function linearised<const L extends LinearisedOptions['link']>(
  options: LinearisedOptions & { readonly link: L },
): PredictiveOf<'linearised'> & { readonly link: L };
export function linearised(options?: LinearisedOptions): PredictiveOf<'linearised'>;
export function linearised(options: LinearisedOptions = {}): Predictive {
  return make('linearised', Linearised, options);
}

/**
 * Adds noise to every pre-activation, with the variance that the posterior of the weights gives it for that example. Some layers
 * take one draw of their weights for the whole batch instead: layers that meet an example more than once (convolutions,
 * sequences, layers used twice), and layers with groups. Either way the predictive of each example by itself is the same as under
 * weight sampling.
 *
 * @example
 * ```ts
 * import { activationSampling } from 'tfjs-laplace';
 *
 * activationSampling({ samples: 50 }); // => { _tag: 'activationSampling', samples: 50, temperature: 1, scale: 1, seed: 0, design: 'independent' }
 * ```
 */
export const activationSampling = (options: SamplingOptions = {}): Predictive =>
  make('activationSampling', ActivationSampling, options);

/**
 * Draws whole networks from the posterior and averages them. Every batch uses the same networks. With a `standardError` each
 * batch takes as many of them as it needs, so the results then depend on how inputs are cut into batches.
 *
 * `scale` sharpens (s > 1) or softens (s < 1) what all draws have in common, the outputs f* of the trained network: a draw f becomes
 * s f* + (f − f*). That is what the scale of `linearised` does to the mean of its outputs. At temperature 0 it is the inverse of a softmax's
 * own temperature.
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
 * Draws functions f* + J δ from the linearised network, with the same draws δ of the weights as `weightSampling`. The functions
 * go through the likelihood's own link and are averaged. So for any link they estimate what `linearised` approximates by a
 * formula, with an error of order 1/√samples. Every batch uses the same functions.
 *
 * @example
 * ```ts
 * import { functionSampling } from 'tfjs-laplace';
 *
 * functionSampling({ samples: 100 }); // => { _tag: 'functionSampling', samples: 100, temperature: 1, scale: 1, seed: 0, design: 'independent' }
 * ```
 */
export const functionSampling = (options: FunctionSamplingOptions = {}): Predictive =>
  make('functionSampling', FunctionSampling, options);
