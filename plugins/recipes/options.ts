/** Options of a run, decoded. */
import type { Checkpoint, EngineChoice, OnProgress } from 'tfjs-laplace';
import {
  array,
  CheckpointCodec,
  defaulted,
  EngineChoiceCodec,
  func,
  NOT_FINITE,
  optional,
  optionsOf,
  positive,
  positiveInteger,
  struct,
  text,
} from 'tfjs-laplace/extend';
import type { Step, Work } from './report.js';

/** Options of `runRecipe`. */
export interface RunOptions {
  /** Examples of a batch, for data that come as a whole. Default 128. */
  readonly batchSize?: number | undefined;
  /** The engine for linear algebra, as for `toPosterior`. */
  readonly engine?: EngineChoice | undefined;
  /** The most bytes on the device, as for `predict`. */
  readonly memoryBudget?: number | undefined;
  /** Keeps the sums of the pass now and then, as for `accumulateFactors`. */
  readonly checkpoint?: Checkpoint | undefined;
  /**
   * What happens to training batches with NaN or infinity, as for `accumulateFactors`. Default `'stop'`. With `'skip'` a warning of the report
   * says how many there were.
   */
  readonly onNotFinite?: 'stop' | 'skip' | undefined;
  /** The names of the classes of the model's only output, in the order of their numbers. The report keeps them, for people. */
  readonly classNames?: ReadonlyArray<string> | undefined;
  /** Called with the progress of whatever is done at present. */
  readonly onProgress?: OnProgress | undefined;
  /**
   * Runs one step of the work, with a title for people: the `step` of `terminalProgress`, for example. Default: the step is run, and reports
   * to `onProgress`.
   */
  readonly step?: Step | undefined;
}

const run = {
  batchSize: defaulted(positiveInteger, 128),
  engine: optional(EngineChoiceCodec),
  memoryBudget: optional(positive),
  checkpoint: optional(CheckpointCodec),
  onNotFinite: NOT_FINITE.onNotFinite,
  classNames: optional(array('a list of names', text)),
  onProgress: optional(func<OnProgress>('a function (event) => void')),
  step: optional(func<Step>('a function (title, work) => Promise')),
};

const Options = struct('options', run);

/** How a run goes about its work, the pass over the training data included. */
export interface RunWork extends Work {
  readonly batchSize: number;
  readonly checkpoint?: Checkpoint | undefined;
  readonly onNotFinite?: 'stop' | 'skip' | undefined;
}

/** The options of a run, with what they stand for. Throws `InvalidOption`, which names the fields. */
export function runOptionsOf(what: string, given: RunOptions): RunWork {
  const { onProgress = () => {}, ...own } = optionsOf(what, Options, given);
  const plainly: Step = async (_title, work) => work(onProgress);
  return { ...own, step: own.step ?? plainly };
}
