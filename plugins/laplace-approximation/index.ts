/**
 * The library as plain async functions, with the names of Bensemble's `LaplaceApproximation`. A thin layer over the streams and
 * the training callback, for people who do not think in streams. Its only state is the posterior that was computed last.
 */
import * as tf from '@tensorflow/tfjs-core';
import { CustomCallback, type LayersModel, type ModelFitArgs } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  accumulateFactors,
  activationSampling,
  batches,
  type Curvature,
  type Factors,
  type Inputs,
  inputBatches,
  kfac,
  type Labels,
  type Likelihood,
  linearised,
  observe,
  orThrow,
  type Posterior,
  type Prediction,
  type PredictionOf,
  type Predictive,
  type Progress,
  predict,
  sampleModels,
  type ToPosteriorOptions,
  toPosterior,
} from 'tfjs-laplace';
import { fromDevice, laplaceError, matchLoss, type Network, ownBatch, ownInputs, readNetwork } from 'tfjs-laplace/extend';
import { type LaplaceCallback, laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { joinPredictions, type WithUncertainty } from './join.js';

/** Options of `laplaceApproximation`. All but the likelihood have a default. */
export interface LaplaceApproximationOptions {
  readonly likelihood: Likelihood;
  /** Whether the model is trained already. `fit` then leaves its weights alone. Default true. */
  readonly pretrained?: boolean;
  /** Whether to print progress. Default false. */
  readonly verbose?: boolean;
  /** Default: the exact Fisher for a trained model; otherwise the empirical Fisher, which is a by-product of training. */
  readonly curvature?: Curvature;
  /** Prior precision τ, damping and layers: see `toPosterior`. */
  readonly posterior?: ToPosteriorOptions;
  /** Where verbose lines go. Default `console.log`. */
  readonly log?: (line: string) => void;
}

/**
 * A data set in memory: tensors or arrays whose first dimension is the number N of examples. Several inputs or outputs come as a list of
 * tensors in the model's order, or as a record by name.
 */
export interface Data {
  readonly x: Inputs;
  readonly y: Labels;
}

/** Options of `predict`. */
export interface PredictArgs {
  /** S: number of posterior samples. Without it the linearised predictive is used, which needs none. */
  readonly samples?: number;
  /** T >= 0 multiplies the covariance, so that standard deviations grow with √T. Default 1. */
  readonly temperature?: number;
  readonly seed?: number;
  /** Any other predictive. `samples`, `temperature` and `seed` are then ignored. */
  readonly predictive?: Predictive;
  readonly batchSize?: number;
}

/** A Laplace approximation: train or observe, then predict and sample. */
export interface LaplaceApproximation<P extends Prediction = Prediction> {
  /** Trains with the callback attached unless the model is pretrained, then computes the posterior. */
  readonly fit: (data: Data, args?: ModelFitArgs) => Promise<Posterior>;
  /** Computes the posterior in a pass over the training data at the model's present weights. */
  readonly computePosterior: (data: Data, args?: { readonly batchSize?: number }) => Promise<Posterior>;
  /** Predicts with uncertainty: predictive entropy in nats for classifiers, total standard deviation for regression. */
  readonly predict: (x: Inputs, args?: PredictArgs) => Promise<WithUncertainty<P>>;
  /** Draws networks from the posterior. The caller disposes them. */
  readonly sampleModels: (
    samples?: number,
    args?: { readonly temperature?: number; readonly seed?: number },
  ) => Promise<ReadonlyArray<LayersModel>>;
  /** Turns printing on or off, and returns whether it is on. */
  readonly toggleVerbose: () => boolean;
  /** The posterior that was computed last. */
  readonly posterior: () => Posterior | undefined;
}

const BATCH = 128;

/**
 * A Laplace approximation of a model.
 *
 * Rejections are `LaplaceError`s: `NotReady` for `predict` or `sampleModels` before there is a posterior, `InvalidModel` for a
 * model that is to be trained and is not compiled, and the errors of the streams that do the work.
 *
 * @throws LaplaceError `InvalidOption` for an option in `posterior` that is out of range.
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
  const fitted = toPosterior({ ...options.posterior, onProgress });
  const read = (): Network => orThrow(readNetwork(model, likelihood));
  const ready = (what: string): Posterior => {
    if (current !== undefined) return current;
    throw laplaceError('NotReady', {
      what: `${what} needs a posterior`,
      found: 'none yet',
      remedy: 'Call fit or computePosterior first, and await it.',
    });
  };
  const build = async (factors: Factors): Promise<Posterior> => {
    current = await lastValueFrom(of(factors).pipe(fitted));
    say(`posterior over ${current.layers.map((l) => l.name).join(', ')} for ${current.datasetSize} examples`);
    return current;
  };

  const computePosterior: LaplaceApproximation['computePosterior'] = async (data, { batchSize = BATCH } = {}) => {
    const x = orThrow(ownInputs(read(), data.x));
    try {
      const parts = batches({ x, y: data.y }, batchSize);
      const curvature = options.curvature ?? kfac({ fisher: 'exact' });
      const progress = { onProgress, total: parts.length };
      return build(await lastValueFrom(from(parts).pipe(observe(model, likelihood), accumulateFactors(curvature, progress))));
    } finally {
      tf.dispose(x);
    }
  };

  /** Trains with the callback attached. */
  const train = async (data: Data, args: ModelFitArgs, curvature: LaplaceCallback): Promise<void> => {
    const network = read();
    const { _tag } = orThrow(matchLoss(network));
    const { x, y } = orThrow(ownBatch(network, data.x, data.y));
    // Some losses of tfjs take float32 alone. A loss of the user's own gets the labels as they were given.
    const labels = tf.tidy(() => y.map((own) => (own.dtype === 'float32' || _tag === 'custom' ? own : tf.cast(own, 'float32'))));
    try {
      const callbacks = [curvature, ...instances(args)] as CustomCallback[];
      // On a lost device tfjs waits for ever: `fromDevice` rejects instead.
      await fromDevice(model.fit(x, labels, { ...args, verbose: args.verbose ?? 0, callbacks }));
    } finally {
      tf.dispose([x, y, labels]);
    }
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
      await train(data, args, curvature);
      return build(await lastValueFrom(curvature.factors$));
    },
    predict: async (x, { samples, temperature = 1, seed = 0, predictive, batchSize = BATCH } = {}) => {
      const posterior = ready('predict');
      const sampled = samples === undefined ? linearised({ temperature }) : activationSampling({ samples, temperature, seed });
      const own = orThrow(ownInputs(read(), x));
      try {
        const parts = inputBatches(own, batchSize);
        const results = await lastValueFrom(
          from(parts).pipe(predict(model, posterior, predictive ?? sampled, { onProgress, total: parts.length }), toArray()),
        );
        // The likelihood decides the kind of the prediction. The type system cannot follow that.
        return joinPredictions(results) as unknown as WithUncertainty<P>;
      } finally {
        tf.dispose(own);
      }
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
 * The callbacks of `fit` as instances: tfjs takes instances or plain objects, not both in one list. If there is no callback at
 * all, tfjs makes an instance of its own, which gives the event loop its turns during training. So does this function.
 */
const instances = ({ callbacks = {}, yieldEvery }: ModelFitArgs): ReadonlyArray<unknown> =>
  [callbacks].flat().map((given) => ('setParams' in given ? given : new CustomCallback(given as object, yieldEvery as 'auto')));
