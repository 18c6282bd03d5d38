/** How likelihoods are written: one function for each, which checks its options. */
import { make } from '../codec/index.js';
import {
  Bernoulli,
  Categorical,
  type ClassOptions,
  Custom,
  type CustomLikelihoodOptions,
  Gaussian,
  type GaussianOptions,
  type LikelihoodOf,
  type OutputLikelihoods,
  PerOutput,
  PerStep,
  type PerStepOptions,
  type StepLikelihood,
} from './codec.js';

/**
 * One of C classes: p = softmax(f). Labels are class numbers [B] or rows [B, C] that add up to 1.
 *
 * `labelSmoothing` α takes labels to (1 − α) y + α/C. `classWeights`, one for each class, weigh an example by the class of its label in
 * the log-likelihood and in the curvature, as `classWeight` of `fit` weighs its loss.
 *
 * @throws LaplaceError `InvalidOption` for α outside [0, 1) or a weight below 0.
 *
 * @example
 * ```ts
 * import { categorical } from 'tfjs-laplace';
 *
 * categorical(); // => { _tag: 'categorical', labelSmoothing: 0 }
 * categorical({ classWeights: [1, 5, 1] }); // => { _tag: 'categorical', labelSmoothing: 0, classWeights: [1, 5, 1] }
 * ```
 */
export const categorical = (options: ClassOptions = {}): LikelihoodOf<'categorical'> => make('categorical', Categorical, options);

/**
 * Yes or no for each output on its own: p = sigmoid(f). Labels are numbers in [0, 1], [B, C], or [B] for one output.
 *
 * `labelSmoothing` α takes labels to (1 − α) y + α/2. `classWeights` [w₀, w₁] weigh an example by its label, for one output only.
 *
 * @throws LaplaceError `InvalidOption` for α outside [0, 1) or a weight below 0.
 *
 * @example
 * ```ts
 * import { bernoulli } from 'tfjs-laplace';
 *
 * bernoulli(); // => { _tag: 'bernoulli', labelSmoothing: 0 }
 * ```
 */
export const bernoulli = (options: ClassOptions = {}): LikelihoodOf<'bernoulli'> => make('bernoulli', Bernoulli, options);

/**
 * Regression: y ~ N(f, diag(σ²)) with a known noise variance σ² (in squared units of the labels), the same for all outputs or one each.
 *
 * @throws LaplaceError `InvalidOption` for a noise variance that is not > 0.
 *
 * @example
 * ```ts
 * import { gaussian } from 'tfjs-laplace';
 *
 * gaussian({ noiseVariance: 0.25 }); // => { _tag: 'gaussian', noiseVariance: 0.25 }
 * gaussian({ noiseVariance: [0.25, 4] }); // => { _tag: 'gaussian', noiseVariance: [0.25, 4] }
 * ```
 */
export const gaussian = (options: GaussianOptions = {}): LikelihoodOf<'gaussian'> => make('gaussian', Gaussian, options);

const HETEROSCEDASTIC: LikelihoodOf<'heteroscedastic'> = Object.freeze({ _tag: 'heteroscedastic' });
const POISSON: LikelihoodOf<'poisson'> = Object.freeze({ _tag: 'poisson' });

/**
 * Regression whose noise depends on the input (Nix & Weigend 1994): the network has 2 T outputs for labels [B, T], first T means,
 * then T log-variances. Its curvature is the Fisher diag(1/σ², ½).
 *
 * @example
 * ```ts
 * import { heteroscedastic } from 'tfjs-laplace';
 *
 * heteroscedastic(); // => { _tag: 'heteroscedastic' }
 * ```
 */
export const heteroscedastic = (): LikelihoodOf<'heteroscedastic'> => HETEROSCEDASTIC;

/**
 * Counts: y ~ Poisson(e^f), f the logarithm of the rate. Labels are integers >= 0, [B, C], or [B] for one output.
 *
 * @example
 * ```ts
 * import { poisson } from 'tfjs-laplace';
 *
 * poisson(); // => { _tag: 'poisson' }
 * ```
 */
export const poisson = (): LikelihoodOf<'poisson'> => POISSON;

/**
 * A likelihood of one's own, of its negative log-likelihood and a square root of its Hessian in the outputs. The functions run inside
 * a `tf.tidy` and must be made of differentiable tfjs operations unless `gradient` is given too.
 *
 * Factors and posteriors keep the value, functions and all, in memory. It is no data: `encodeRecipe` refuses it, `structuredClone`
 * and `postMessage` throw a DataCloneError. Make it anew, under the same name, where it is needed.
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
export const customLikelihood = (options: CustomLikelihoodOptions): LikelihoodOf<'custom'> =>
  make('customLikelihood', Custom, options, 'custom');

/**
 * The same likelihood for every step of a sequence: outputs [B, S, C], labels [B, S] or [B, S, T]. An example's log-likelihood is the
 * sum over its steps; those whose labels all are `ignoreLabel` (padding) count nothing.
 *
 * @throws LaplaceError `InvalidOption` for anything but a likelihood of one step.
 *
 * @example
 * ```ts
 * import { perStep, poisson } from 'tfjs-laplace';
 *
 * perStep(poisson(), { ignoreLabel: -1 }); // => { _tag: 'perStep', each: { _tag: 'poisson' }, ignoreLabel: -1 }
 * ```
 */
export const perStep = (each: StepLikelihood, options: PerStepOptions = {}): LikelihoodOf<'perStep'> =>
  make('perStep', PerStep, { ...options, each });

/**
 * A likelihood for each output of a model with several, by the outputs' names (`model.outputNames`): an example's log-likelihood is the
 * sum over its outputs, which are independent given the network. Labels are a list in the model's order, or a record by name.
 *
 * Class weights of an output's likelihood weigh its own part of the sum. Weights of examples (`batches({ x, y, weights })`) multiply
 * all of it. At most one output can have a `customLikelihood`: how many numbers its labels have only the labels say.
 *
 * @throws LaplaceError `InvalidOption` for no output, or for anything but a likelihood of one output.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, categorical, gaussian, kfac, observe, perOutput, predict, toPosterior } from 'tfjs-laplace';
 *
 * const x = tf.input({ shape: [2] });
 * const trunk = tf.layers.dense({ units: 4, activation: 'tanh' }).apply(x) as tf.SymbolicTensor;
 * const digit = tf.layers.dense({ units: 3, activation: 'softmax', name: 'digit' }).apply(trunk) as tf.SymbolicTensor;
 * const angle = tf.layers.dense({ units: 1, name: 'angle' }).apply(trunk) as tf.SymbolicTensor;
 * const model = tf.model({ inputs: x, outputs: [digit, angle] });
 *
 * const likelihood = perOutput({ digit: categorical(), angle: gaussian({ noiseVariance: 0.1 }) });
 * const data = {
 *   x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]),
 *   y: { digit: tf.tensor1d([0, 2, 1]), angle: tf.tensor2d([[0.1], [0.2], [0.3]]) },
 * };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, likelihood), accumulateFactors(kfac()), toPosterior()),
 * );
 * const prediction = await lastValueFrom(from([data.x]).pipe(predict(model, posterior)));
 * if (prediction._tag !== 'several') throw new Error('one prediction for each output was expected');
 * Object.values(prediction.outputs).map(({ _tag }) => _tag); // => ['classification', 'regression']
 * ```
 */
export const perOutput = <const O extends OutputLikelihoods>(outputs: O): PerOutput<O> =>
  make('perOutput', PerOutput, { outputs }) as PerOutput<O>;
