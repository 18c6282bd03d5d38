/** Options of `laplaceCallback`, decoded: shorthand becomes values, and unknown keys are refused. A recipe serves as options. */
import { finalEpochs, kfac, type OnProgress } from 'tfjs-laplace';
import {
  accepted,
  CurvatureCodec,
  type CurvatureInput,
  defaulted,
  EpochSelectionCodec,
  type EpochSelectionInput,
  func,
  isRecord,
  LikelihoodCodec,
  type LikelihoodInput,
  optional,
  RecipeCodec,
  struct,
} from 'tfjs-laplace/extend';
import type { RunOptions } from './run.js';

/**
 * Options of `laplaceCallback`. A bare tag stands for the value with its defaults: `likelihood: 'categorical'`. A recipe serves as
 * well.
 */
export interface LaplaceCallbackOptions {
  /** What the model's outputs mean. Must fit the compiled loss. */
  readonly likelihood: LikelihoodInput;
  /** Default `kfac({ fisher: 'empirical' })`, the cheapest. */
  readonly curvature?: CurvatureInput | undefined;
  /** Which epochs count. Default `finalEpochs(1)`. */
  readonly epochs?: EpochSelectionInput | undefined;
  /** Called after every observed batch. */
  readonly onProgress?: OnProgress | undefined;
}

const Options = struct('an object with a likelihood', {
  likelihood: LikelihoodCodec,
  curvature: defaulted(CurvatureCodec, kfac({ fisher: 'empirical' })),
  epochs: defaulted(EpochSelectionCodec, finalEpochs(1)),
  onProgress: optional(func<OnProgress>('a function (event) => void')),
});

/** Whether a value has every field of a recipe. A value that has only some of them is taken as options, which refuse the others. */
const isWhole = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isRecord(value) && RecipeCodec.fields.every((field) => value[field] !== undefined);

/** The options that were meant. Throws `InvalidOption`, which names the fields. */
export function optionsOf(given: unknown): RunOptions {
  if (!isWhole(given)) return accepted('laplaceCallback', Options, given);
  const { onProgress, ...recipe } = given;
  const { likelihood, curvature, epochs } = accepted('laplaceCallback', RecipeCodec, recipe);
  return accepted('laplaceCallback', Options, { likelihood, curvature, epochs, onProgress });
}
