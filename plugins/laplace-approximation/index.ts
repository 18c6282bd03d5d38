/**
 * The library as plain async functions, with the names of Bensemble's `LaplaceApproximation`. A thin layer over the streams and
 * the training callback, for people who do not think in streams. Its only state is the posterior that was computed last, with its tuning.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Factors,
  type Inputs,
  inputBatches,
  kfac,
  type Likelihood,
  observe,
  orThrow,
  type Posterior,
  type Prediction,
  type PredictionOf,
  type Predictive,
  type Progress,
  predict,
  sampleModels,
  type Tuning,
  toPosterior,
} from 'tfjs-laplace';
import {
  type LikelihoodFrom,
  type LikelihoodInput,
  laplaceError,
  type Network,
  ownInputs,
  readNetwork,
} from 'tfjs-laplace/extend';
import { joinPredictions, type WithUncertainty } from './join.js';
import {
  type Data,
  dataOf,
  type FitArgs,
  fitOf,
  type LaplaceApproximationOptions,
  type PosteriorArgs,
  type PredictArgs,
  passOf,
  predictOf,
  type SampleArgs,
  sampleOf,
  settingsOf,
} from './options.js';
import { train } from './train.js';
import { checkValidation, lineOf, tunedOn } from './tuning.js';
import { type Warnings, warningsAbout } from './warning.js';

export type {
  Data,
  FitArgs,
  LaplaceApproximationOptions,
  PassArgs,
  PosteriorArgs,
  PredictArgs,
  SampleArgs,
} from './options.js';

/** The prediction of a likelihood, or of what stands for one: `'categorical'` gives a `Classification`. */
export type PredictionFrom<L> = LikelihoodFrom<L> extends infer M extends Likelihood ? PredictionOf<M> : Prediction;

/** A Laplace approximation: train or observe, then predict and sample. Every method refuses arguments that it does not know. */
export interface LaplaceApproximation<P extends Prediction = Prediction> {
  /**
   * Computes the posterior. A model that is not pretrained is trained before, with the callback attached. If a callback of yours ends
   * training before the last epoch, the posterior is computed in a pass over the data, as by `computePosterior`.
   *
   * For a pretrained model only `batchSize` and `validation` have a meaning. Arguments of training, such as `epochs`, are refused.
   *
   * With `validation` the posterior is tuned on these data, by `tune` in batches of `batchSize`. The tuned posterior is what `fit` gives, and
   * what `predict` and `sampleModels` take.
   */
  readonly fit: (data: Data, args?: FitArgs) => Promise<Posterior>;
  /** Computes the posterior in a pass over the training data at the model's present weights, and tunes it if there are validation data. */
  readonly computePosterior: (data: Data, args?: PosteriorArgs) => Promise<Posterior>;
  /**
   * Predicts with uncertainty: predictive entropy in nats for classifiers, total standard deviation for regression. After tuning, the
   * predictive is the tuned one, with its scale and temperature. A `temperature` replaces the tuned temperature alone, and `samples` are
   * drawn from the tuned posterior. A `predictive` takes nothing but that posterior.
   */
  readonly predict: (x: Inputs, args?: PredictArgs) => Promise<WithUncertainty<P>>;
  /** Draws networks from the posterior, by default 10, and at the tuned temperature. The caller disposes them. */
  readonly sampleModels: (samples?: number, args?: SampleArgs) => Promise<ReadonlyArray<LayersModel>>;
  /** Turns printing on or off, and returns whether it is on. */
  readonly toggleVerbose: () => boolean;
  /** The posterior that was computed last. */
  readonly posterior: () => Posterior | undefined;
  /** What `tune` found for that posterior: all candidates, and how they compare. Undefined if it was not tuned. */
  readonly tuning: () => Tuning | undefined;
}

/** A posterior, and what `tune` found for it. */
interface Computed {
  readonly posterior: Posterior;
  readonly tuning: Tuning | undefined;
}

/** How a posterior is computed. */
type Work = ReturnType<typeof passOf>;

/** The predictives that leave the region of the trained weights. Sampled functions of the linearised network do not. */
const SAMPLING: ReadonlyArray<Predictive['_tag']> = ['activationSampling', 'weightSampling'];

/**
 * A Laplace approximation of a model.
 *
 * Each new posterior is compared with the trained network on some of its training examples: 256, or fewer of a small data set. If
 * the mean NLL of its linearised predictions there is too far above the network's own, `warn` gets a line with both and with what
 * helps. Too far is 0.15 nats for a class or a yes-or-no label, and 0.35 for a number or a count. (`compare.ts` says why.) If only
 * sampling is so much worse, the line comes when `predict` or `sampleModels` samples for the first time at a temperature of 1 or more.
 *
 * Outputs with a `customLikelihood` cannot be judged. Labels of one example are judged one by one. Predictions of heteroscedastic and
 * poisson are judged as a normal and a negative binomial with the predicted mean and variance. If predictions fail, the line says so,
 * and `fit` succeeds all the same. The comparison costs as much as a prediction for these examples, with ten samples for 64 of them.
 *
 * A posterior that was tuned on validation data is compared by `tune`, which never gives what is worse than the network. `warn` gets a line
 * if the network itself was the best, and one about samples as above, judged on 64 of the validation examples.
 *
 * Rejections are `LaplaceError`s: `InvalidOption` for arguments that a method does not know or that are out of range, and for a `tuning`
 * without validation data; `NotReady` for `predict` or `sampleModels` before there is a posterior; `InvalidModel` for a model that is to be
 * trained and is not compiled; `Empty` for a single validation example; and the errors of the streams that do the work. Validation data
 * whose shapes do not fit the model are refused before it is trained.
 *
 * @throws LaplaceError `InvalidOption` for an option that does not exist or is out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { gaussian, kfac } from 'tfjs-laplace';
 * import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 *
 * const laplace = laplaceApproximation(model, { likelihood: gaussian(), curvature: kfac(), pretrained: false });
 * await laplace.fit(data, { epochs: 2, verbose: 0 });
 * const { mean, uncertainty } = await laplace.predict(data.x);
 * mean.length; // => 3
 * const members = await laplace.sampleModels(2);
 * members.length; // => 2
 *
 * // With examples that were not trained on, the prior precision and the noise variance are chosen:
 * await laplace.computePosterior(data, { validation: { x: tf.tensor2d([[2, 1], [4, 2]]), y: tf.tensor2d([[2], [3]]) } });
 * laplace.tuning()?.posterior === laplace.posterior(); // => true
 * ```
 */
export function laplaceApproximation<const L extends LikelihoodInput>(
  model: LayersModel,
  options: LaplaceApproximationOptions & { readonly likelihood: L },
): LaplaceApproximation<PredictionFrom<L>> {
  type P = PredictionFrom<L>;
  const { likelihood, pretrained, curvature, posterior: own, tuning, log, warn, ...rest } = settingsOf(options);
  let { verbose } = rest;
  let current: Computed | undefined;
  let warnings: Warnings = {};

  const say = (line: string): void => {
    if (verbose) log(line);
  };
  const onProgress = (event: Progress): void => {
    const { phase, done, total, unit, detail } = event;
    const count = total === undefined ? `${done} ${unit}` : `${done} of ${total} ${unit}`;
    say(`${phase}: ${count}${detail === undefined ? '' : ` (${detail})`}`);
  };
  const fitted = toPosterior({
    ...own,
    onProgress: (event) => {
      own.onProgress?.(event);
      onProgress(event);
    },
  });
  const read = (): Network => orThrow(readNetwork(model, likelihood));
  const ready = (what: string): Computed => {
    if (current !== undefined) return current;
    throw laplaceError('NotReady', {
      what: `${what} needs a posterior`,
      found: 'none yet',
      remedy: 'Call fit or computePosterior first, and await it.',
    });
  };
  /** `trained` is the number of examples, from the first, that were trained on. */
  const build = async (
    factors: Factors,
    data: Data,
    { batchSize, validation }: Work,
    trained?: (examples: number) => number,
  ): Promise<Posterior> => {
    const found = await lastValueFrom(of(factors).pipe(fitted));
    say(`posterior over ${found.layers.map((l) => l.name).join(', ')} for ${found.datasetSize} examples`);
    const held = validation === undefined ? undefined : { data: validation, batchSize, tuning, onProgress };
    const result = held && (await tunedOn(model, read(), found, held));
    if (result !== undefined) say(lineOf(result));
    const posterior = result?.posterior ?? found;
    current = { posterior, tuning: result };
    // Tuning may have changed the noise variance: the network is judged under the same.
    const compared = { model, network: orThrow(readNetwork(model, posterior.likelihood)), posterior, batchSize };
    warnings = await warningsAbout(validation ? { ...compared, data: validation } : { ...compared, data, trained }, result);
    if (warnings.now !== undefined) warn(warnings.now);
    return posterior;
  };

  /** Somebody samples at this temperature. */
  const sampling = (temperature: number): void => {
    if (warnings.sampling === undefined || temperature < warnings.sampling.temperature) return;
    warn(warnings.sampling.line);
    warnings = {};
  };

  const pass = async (data: Data, work: Work): Promise<Posterior> => {
    const x = orThrow(ownInputs(read(), data.x));
    try {
      const parts = batches({ x, y: data.y }, work.batchSize);
      const progress = { onProgress, total: parts.length };
      const estimator = accumulateFactors(curvature ?? kfac({ fisher: 'exact' }), progress);
      return await build(await lastValueFrom(from(parts).pipe(observe(model, likelihood), estimator)), data, work);
    } finally {
      tf.dispose(x);
    }
  };

  return {
    computePosterior: async (data, args) => {
      const given = dataOf('computePosterior', data);
      const work = passOf(args);
      checkValidation('computePosterior', read(), tuning, work.validation);
      return pass(given, work);
    },
    fit: async (data, args) => {
      const { validation, ...own } = fitOf(args, pretrained);
      const given = dataOf('fit', data);
      const work = passOf({ batchSize: own.batchSize, validation });
      checkValidation('fit', read(), tuning, validation);
      if (pretrained) return pass(given, work);
      const factors = await train(read(), given, own, { likelihood, onProgress, curvature });
      if (factors === undefined) return pass(given, work);
      return build(factors, given, work, (examples) => Math.floor(examples * (1 - (own.validationSplit ?? 0))));
    },
    predict: async (x, args) => {
      const { predictive, batchSize } = predictOf(args, current?.tuning?.predictive);
      const { posterior } = ready('predict');
      if (SAMPLING.includes(predictive._tag)) sampling(predictive.temperature);
      const own = orThrow(ownInputs(read(), x));
      try {
        const parts = inputBatches(own, batchSize);
        const results = await lastValueFrom(
          from(parts).pipe(predict(model, posterior, predictive, { onProgress, total: parts.length }), toArray()),
        );
        // The likelihood decides the kind of the prediction. The type system cannot follow that.
        return joinPredictions(results) as unknown as WithUncertainty<P>;
      } finally {
        tf.dispose(own);
      }
    },
    sampleModels: async (samples, args) => {
      const own = sampleOf(samples, args, current?.tuning?.predictive);
      const { posterior } = ready('sampleModels');
      sampling(own.temperature);
      return lastValueFrom(of(posterior).pipe(sampleModels(model, own), toArray()));
    },
    toggleVerbose: () => {
      verbose = !verbose;
      log(`Verbose: ${verbose ? 'on' : 'off'}`);
      return verbose;
    },
    posterior: () => current?.posterior,
    tuning: () => current?.tuning,
  };
}
