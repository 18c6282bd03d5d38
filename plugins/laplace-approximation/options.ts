/** Options and arguments of the promise form, decoded: shorthand becomes values, and unknown keys are refused. */
import type { ModelFitArgs } from '@tensorflow/tfjs-layers';
import {
  activationSampling,
  type Inputs,
  type Labels,
  linearised,
  type Predictive,
  type ToPosteriorOptions,
  type TuningInput,
} from 'tfjs-laplace';
import {
  accepted,
  boolean,
  type Codec,
  CurvatureCodec,
  type CurvatureInput,
  defaulted,
  func,
  isRecord,
  LikelihoodCodec,
  type LikelihoodInput,
  laplaceError,
  nonNegative,
  optional,
  PredictiveCodec,
  type PredictiveInput,
  positiveInteger,
  refined,
  seed,
  struct,
  TuningCodec,
} from 'tfjs-laplace/extend';

/** Options of `laplaceApproximation`. All but the likelihood have a default. A bare tag stands for a value with its defaults. */
export interface LaplaceApproximationOptions {
  readonly likelihood: LikelihoodInput;
  /** Whether the model is trained already. `fit` then leaves its weights alone, and refuses arguments of training. Default true. */
  readonly pretrained?: boolean | undefined;
  /** Whether to print progress. Default false. */
  readonly verbose?: boolean | undefined;
  /** Default: the exact Fisher for a trained model; otherwise the empirical Fisher, which is a by-product of training. */
  readonly curvature?: CurvatureInput | undefined;
  /** Prior precision τ, damping and layers: see `toPosterior`. */
  readonly posterior?: ToPosteriorOptions | undefined;
  /**
   * How the posterior is tuned on validation data: criterion, rule, and what is chosen. See `tune`, which also has the defaults. With it,
   * `fit` and `computePosterior` ask for validation data.
   */
  readonly tuning?: TuningInput | undefined;
  /** Where verbose lines go. Default `console.log`. */
  readonly log?: ((line: string) => void) | undefined;
  /**
   * Where the warning goes that predictions with a posterior are worse than the trained network's own. It is sent whether `verbose`
   * or not. Default `console.warn`.
   */
  readonly warn?: ((line: string) => void) | undefined;
}

/**
 * A data set in memory: tensors or arrays whose first dimension is the number N of examples. Several inputs or outputs come as a list of
 * tensors in the model's order, or as a record by name.
 */
export interface Data {
  readonly x: Inputs;
  readonly y: Labels;
}

/** Options of a pass over data. */
export interface PassArgs {
  /** Default 128. */
  readonly batchSize?: number | undefined;
}

/** Options of `computePosterior`. */
export interface PosteriorArgs extends PassArgs {
  /** Examples that the model was not trained on, at least two. The posterior is tuned on them. */
  readonly validation?: Data | undefined;
}

/**
 * Arguments of `fit`: those of tfjs, and `validation`. tfjs's own `validationData` and `validationSplit` keep their meaning: they measure the
 * loss after each epoch, and tune nothing.
 */
export interface FitArgs extends ModelFitArgs {
  /** Examples that the model was not trained on, at least two. The posterior is tuned on them. */
  readonly validation?: Data | undefined;
}

/** Options of `predict`. */
export interface PredictArgs extends PassArgs {
  /**
   * S: number of posterior samples. Without it the linearised predictive is used, which needs none. A tuned scale is a part of the
   * linearised predictive alone.
   */
  readonly samples?: number | undefined;
  /** T >= 0 multiplies the covariance, so that standard deviations grow with √T. Default: the tuned one; 1 without tuning. */
  readonly temperature?: number | undefined;
  readonly seed?: number | undefined;
  /** Any other predictive, which has its own samples, temperature, scale and seed: nothing of the tuned one goes into it. */
  readonly predictive?: PredictiveInput | undefined;
}

/** Options of `sampleModels`. */
export interface SampleArgs {
  /** T >= 0 multiplies the covariance. Default: the tuned one; 1 without tuning. */
  readonly temperature?: number | undefined;
  readonly seed?: number | undefined;
}

/** A value that somebody else checks. */
const anything = <A>(name: string): Codec<A> => refined(name, (value): value is A => value !== undefined);

/** `toPosterior` checks these options. Their names are here so that an error can say where a misplaced one belongs. */
const POSTERIOR: Record<keyof ToPosteriorOptions, true> = {
  priorPrecision: true,
  prior: true,
  damping: true,
  layers: true,
  datasetSize: true,
  engine: true,
  onProgress: true,
};

const Posterior: Codec<ToPosteriorOptions> = Object.assign(
  refined('an object with options of toPosterior', (value): value is ToPosteriorOptions => isRecord(value)),
  { fields: Object.keys(POSTERIOR) },
);

const line = func<(line: string) => void>('a function (line) => void');

const Options = struct('an object with a likelihood', {
  likelihood: LikelihoodCodec,
  pretrained: defaulted(boolean, true),
  verbose: defaulted(boolean, false),
  curvature: optional(CurvatureCodec),
  posterior: defaulted(Posterior, {}),
  tuning: optional(TuningCodec),
  log: defaulted(line, (text) => console.log(text)),
  warn: defaulted(line, (text) => console.warn(text)),
});

/** The options with their defaults. Throws `InvalidOption`, which names the fields. */
export const settingsOf = (given: LaplaceApproximationOptions) => accepted('laplaceApproximation', Options, given);

const pass = { batchSize: defaulted(positiveInteger, 128) };
const draw = { temperature: optional(nonNegative), seed: defaulted(seed, 0) };

const Whole = struct('an object { x, y }', { x: anything<Inputs>('inputs'), y: anything<Labels>('labels') });
const held = { validation: optional(Whole) };

const Pass = struct('an object', { ...pass, ...held });

/** Arguments of `computePosterior`. */
export const passOf = (given: PosteriorArgs = {}) => accepted('computePosterior', Pass, given);

const Samples = struct('an object', { samples: defaulted(positiveInteger, 10) });
const Sample = struct('an object', draw);

/** Arguments of `sampleModels`. `tuned` is the predictive of the posterior. */
export function sampleOf(samples: number | undefined, given: SampleArgs = {}, tuned: Predictive = linearised()) {
  const { temperature = tuned.temperature, ...own } = accepted('sampleModels', Sample, given);
  return { ...accepted('sampleModels', Samples, { samples }), ...own, temperature };
}

/** With a predictive of its own, a call has no samples, temperature or seed beside it. */
const Chosen = struct('an object', { ...pass, predictive: PredictiveCodec });
const Free = struct('an object', { ...pass, ...draw, samples: optional(positiveInteger), predictive: optional(PredictiveCodec) });

/** Arguments of `predict`: the predictive and the size of a batch. `tuned` is the predictive of the posterior. */
export function predictOf(
  given: PredictArgs = {},
  tuned: Predictive = linearised(),
): { readonly predictive: Predictive; readonly batchSize: number } {
  if (isRecord(given) && given.predictive !== undefined) return accepted('predict', Chosen, given);
  const { samples, batchSize, temperature = tuned.temperature, seed } = accepted('predict', Free, given);
  const sampled = samples === undefined ? { ...tuned, temperature } : activationSampling({ samples, temperature, seed });
  return { predictive: sampled, batchSize };
}

/** `fit` hands these on to tfjs, which checks them. */
const training = <K extends keyof ModelFitArgs>(key: K) => optional(anything<NonNullable<ModelFitArgs[K]>>(key));

const Fit = struct('an object', {
  ...held,
  batchSize: optional(positiveInteger),
  epochs: optional(positiveInteger),
  verbose: training('verbose'),
  callbacks: training('callbacks'),
  validationSplit: training('validationSplit'),
  validationData: training('validationData'),
  shuffle: training('shuffle'),
  classWeight: training('classWeight'),
  sampleWeight: training('sampleWeight'),
  initialEpoch: training('initialEpoch'),
  stepsPerEpoch: training('stepsPerEpoch'),
  validationSteps: training('validationSteps'),
  yieldEvery: training('yieldEvery'),
} satisfies Record<keyof FitArgs, unknown>);

/** What a pass over data has a use for, or what harms nothing. */
const HARMLESS: ReadonlyArray<string> = ['batchSize', 'verbose', 'validation'];

/** Arguments of `fit`. Throws `InvalidOption` for arguments of training if there is none. */
export function fitOf(given: FitArgs = {}, pretrained: boolean): FitArgs {
  const args = accepted('fit', Fit, given);
  const idle = Object.keys(args).filter((key) => !HARMLESS.includes(key));
  if (!pretrained || idle.length === 0) return args as FitArgs;
  throw laplaceError('InvalidOption', {
    what: `fit: ${idle.join(', ')}`,
    field: idle[0] as string,
    found: 'arguments of training for a model that counts as trained',
    expected: 'no such argument, since fit then only computes the posterior',
    remedy:
      'To train the model, make it with laplaceApproximation(model, { …, pretrained: false }). ' +
      'To compute the posterior, leave these arguments out, or call computePosterior(data).',
  });
}

/** Data with inputs and labels. Throws `InvalidInput` without them, and `InvalidOption` for further keys. */
export function dataOf(method: string, given: Data): Data {
  if (isRecord(given) && given.x !== undefined && given.y !== undefined) return accepted(method, Whole, given);
  throw laplaceError('InvalidInput', {
    what: `${method}: the data`,
    field: 'data',
    found:
      isRecord(given) && (given.x !== undefined || given.y !== undefined)
        ? `only ${given.x === undefined ? 'y' : 'x'}`
        : 'no x and y',
    expected: 'an object { x, y } of inputs and labels',
  });
}
