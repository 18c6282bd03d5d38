/** Options of `laplaceCallback`, decoded: shorthand becomes values, and unknown keys are refused. A recipe serves as options. */
import { finalEpochs, kfac, type OnProgress } from 'tfjs-laplace';
import {
  CurvatureCodec,
  type CurvatureInput,
  defaulted,
  EpochSelectionCodec,
  type EpochSelectionInput,
  func,
  LikelihoodCodec,
  type LikelihoodInput,
  NOT_FINITE,
  type NotFiniteOptions,
  optional,
  optionsOf,
  struct,
  type TrainingCheckpoint,
  TrainingCheckpointCodec,
} from 'tfjs-laplace/extend';
import type { RunOptions } from './run.js';

/**
 * Options of `laplaceCallback`. A bare tag stands for the value with its defaults: `likelihood: 'categorical'`. A recipe serves as
 * well.
 */
export interface LaplaceCallbackOptions extends NotFiniteOptions {
  /** What the model's outputs mean. Must fit the compiled loss. */
  readonly likelihood: LikelihoodInput;
  /** Default `kfac({ fisher: 'empirical' })`, the cheapest. */
  readonly curvature?: CurvatureInput | undefined;
  /** Which epochs count. Default `finalEpochs(1)`. */
  readonly epochs?: EpochSelectionInput | undefined;
  /** Called after every observed batch. */
  readonly onProgress?: OnProgress | undefined;
  /** Keeps the sums of the epochs that count, so that another `fit` can go on after a crash: see `trainingCheckpoint`. */
  readonly checkpoint?: TrainingCheckpoint | undefined;
}

const Options = struct('an object with a likelihood', {
  likelihood: LikelihoodCodec,
  curvature: defaulted(CurvatureCodec, kfac({ fisher: 'empirical' })),
  epochs: defaulted(EpochSelectionCodec, finalEpochs(1)),
  onProgress: optional(func<OnProgress>('a function (event) => void')),
  checkpoint: optional(TrainingCheckpointCodec),
  ...NOT_FINITE,
});

/** The options that were meant. Throws `InvalidOption`, which names the fields. */
export const runOptionsOf = (given: unknown): RunOptions => optionsOf('laplaceCallback', Options, given);
