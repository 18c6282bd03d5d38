/**
 * The library as plain async functions, in the vocabulary of Bensemble's `LaplaceApproximation`: a thin layer over the streams
 * and the training callback, for people who don't think in streams. Its one piece of state is the posterior computed last.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { CustomCallback, type LayersModel, type ModelFitArgs } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  accumulateFactors,
  activationSampling,
  batches,
  type Curvature,
  type Factors,
  fromDevice,
  inputBatches,
  kfac,
  type Likelihood,
  laplaceError,
  linearised,
  observe,
  type Posterior,
  type Prediction,
  type PredictionOf,
  type Predictive,
  type Progress,
  predict,
  sampleModels,
  type TensorData,
  type ToPosteriorOptions,
  toPosterior,
} from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { joinPredictions, type WithUncertainty } from './join.js';

/** What the approximation is made of; all but the likelihood has a default. */
export interface LaplaceApproximationOptions {
  readonly likelihood: Likelihood;
  /** True for a model that is trained already: `fit` then leaves its weights alone. Default true. */
  readonly pretrained?: boolean;
  /** Print what is done and how far it is. Default false. */
  readonly verbose?: boolean;
  /** Default: the exact Fisher for a trained model, the empirical one, a by-product of training, otherwise. */
  readonly curvature?: Curvature;
  /** τ, prior and damping, layers: see `toPosterior`. */
  readonly posterior?: ToPosteriorOptions;
  /** Where verbose lines go. Default `console.log`. */
  readonly log?: (line: string) => void;
}

/** A data set in memory: tensors whose first dimension counts examples. */
export interface Data {
  readonly x: tf.Tensor | ReadonlyArray<tf.Tensor>;
  /** Of several outputs a list in the model's order, or a record by output name. */
  readonly y: TensorData['y'];
}

/** Options of `predict`. */
export interface PredictArgs {
  /** Number of posterior samples; without it the linearised predictive is used, which needs none. */
  readonly samples?: number;
  /** Scales the covariance: the standard deviation goes with its square root. Default 1. */
  readonly temperature?: number;
  readonly seed?: number;
  /** Any other predictive, in place of the three above. */
  readonly predictive?: Predictive;
  readonly batchSize?: number;
}

/** The approximation: train or observe, then predict and sample. */
export interface LaplaceApproximation<P extends Prediction = Prediction> {
  /** Trains with the callback attached unless the model is pretrained, then computes the posterior. */
  readonly fit: (data: Data, args?: ModelFitArgs) => Promise<Posterior>;
  /** Computes the posterior in a pass over the training data at the model's present weights. */
  readonly computePosterior: (data: Data, args?: { readonly batchSize?: number }) => Promise<Posterior>;
  /** Predicts with uncertainty: predictive entropy in nats for classifiers, total standard deviation for regression. */
  readonly predict: (x: Data['x'], args?: PredictArgs) => Promise<WithUncertainty<P>>;
  /** Draws networks from the posterior; they are the caller's to dispose. */
  readonly sampleModels: (
    samples?: number,
    args?: { readonly temperature?: number; readonly seed?: number },
  ) => Promise<ReadonlyArray<LayersModel>>;
  /** Turns printing on or off, and says which. */
  readonly toggleVerbose: () => boolean;
  /** The posterior computed last. */
  readonly posterior: () => Posterior | undefined;
}

const BATCH = 128;

/**
 * A Laplace approximation of a model.
 *
 * Rejections are `LaplaceError`s: `NotReady` for `predict` or `sampleModels` before there is a posterior, and those of the
 * streams beneath.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { gaussian } from 'tfjs-laplace';
 * import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 *
 * const laplace = laplaceApproximation(model, { likelihood: gaussian(), pretrained: false });
 * await laplace.fit(data, { epochs: 2, verbose: 0 });
 * const { mean, uncertainty } = await laplace.predict(data.x);
 * mean.length; // => 3
 * const members = await laplace.sampleModels(2);
 * members.length; // => 2
 * ```
 */
export function laplaceApproximation<L extends Likelihood>(
  model: LayersModel,
  options: LaplaceApproximationOptions & { readonly likelihood: L },
): LaplaceApproximation<PredictionOf<L>> {
  type P = PredictionOf<L>;
  const { likelihood, pretrained = true, log = console.log } = options;
  let verbose = options.verbose ?? false;
  let current: Posterior | undefined;

  const say = (line: string): void => {
    if (verbose) log(line);
  };
  const onProgress = ({ phase, done, total, unit, detail }: Progress): void => {
    const count = total === undefined ? `${done} ${unit}` : `${done} of ${total} ${unit}`;
    say(`${phase}: ${count}${detail === undefined ? '' : ` (${detail})`}`);
  };
  const ready = (what: string): Posterior => {
    if (current !== undefined) return current;
    throw laplaceError('NotReady', {
      what: `${what} needs a posterior`,
      found: 'none yet',
      remedy: 'Call fit or computePosterior first, and await it.',
    });
  };
  const build = async (factors: Factors): Promise<Posterior> => {
    current = await lastValueFrom(of(factors).pipe(toPosterior({ ...options.posterior, onProgress })));
    say(`posterior over ${current.layers.map((l) => l.name).join(', ')} for ${current.datasetSize} examples`);
    return current;
  };

  const computePosterior: LaplaceApproximation['computePosterior'] = async (data, { batchSize = BATCH } = {}) => {
    const parts = batches(data, batchSize);
    const curvature = options.curvature ?? kfac({ fisher: 'exact' });
    const progress = { onProgress, total: parts.length };
    return build(await lastValueFrom(from(parts).pipe(observe(model, likelihood), accumulateFactors(curvature, progress))));
  };

  return {
    computePosterior,
    fit: async (data, args = {}) => {
      if (pretrained) return computePosterior(data, args.batchSize === undefined ? {} : { batchSize: args.batchSize });
      const curvature = laplaceCallback({
        likelihood,
        onProgress,
        ...(options.curvature === undefined ? {} : { curvature: options.curvature }),
      });
      const training = model.fit(data.x as tf.Tensor | tf.Tensor[], data.y as tf.Tensor | tf.Tensor[], {
        ...args,
        verbose: args.verbose ?? 0,
        callbacks: [curvature, ...instances(args)] as CustomCallback[],
      });
      // tfjs waits for ever for what it reads from a lost device.
      await fromDevice(training);
      return build(await lastValueFrom(curvature.factors$));
    },
    predict: async (x, { samples, temperature = 1, seed = 0, predictive, batchSize = BATCH } = {}) => {
      const sampled = samples === undefined ? linearised({ temperature }) : activationSampling({ samples, temperature, seed });
      // No example at all is for the stream to refuse.
      const parts = nonEmpty(inputBatches(x, batchSize), () => [x].flat() as tf.Tensor[]);
      const results = await lastValueFrom(
        from(parts).pipe(predict(model, ready('predict'), predictive ?? sampled, { onProgress, total: parts.length }), toArray()),
      );
      // The likelihood decides the kind of prediction, which the type system cannot follow.
      return joinPredictions(results) as unknown as WithUncertainty<P>;
    },
    sampleModels: (samples = 10, args = {}) =>
      Promise.resolve().then(() =>
        lastValueFrom(of(ready('sampleModels')).pipe(sampleModels(model, { ...args, samples }), toArray())),
      ),
    toggleVerbose: () => {
      verbose = !verbose;
      log(`Verbose: ${verbose ? 'on' : 'off'}`);
      return verbose;
    },
    posterior: () => current,
  };
}

/**
 * tfjs takes instances of callbacks or plain objects, not both in one list. It makes its own of plain ones, and of none at all, since
 * that is what gives the event loop its turns during training; so does this.
 */
const instances = ({ callbacks = {}, yieldEvery }: ModelFitArgs): ReadonlyArray<unknown> =>
  [callbacks].flat().map((given) => ('setParams' in given ? given : new CustomCallback(given as object, yieldEvery as 'auto')));

const nonEmpty = <A>(values: ReadonlyArray<A>, otherwise: A): ReadonlyArray<A> => (values.length > 0 ? values : [otherwise]);
