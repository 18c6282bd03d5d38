/** Options of `evidenceCallback`, decoded: shorthand becomes values, and unknown keys are refused. A recipe serves as options. */
import { type Damping, exactDamping, kfac, type OnProgress } from 'tfjs-laplace';
import {
  CurvatureCodec,
  type CurvatureInput,
  DampingCodec,
  type DampingInput,
  defaulted,
  func,
  LikelihoodCodec,
  type LikelihoodInput,
  laplaceError,
  literals,
  noiseVarianceOf,
  optional,
  optionsOf,
  positive,
  positiveInteger,
  refined,
  struct,
} from 'tfjs-laplace/extend';
import type { EvidenceRunOptions } from './evidenceRun.js';

/** Options of `evidenceCallback`. A bare tag stands for the value with its defaults: `likelihood: 'gaussian'`. */
export interface EvidenceCallbackOptions {
  /** What the model's outputs mean. Must fit the compiled loss, which must be one of tfjs. Its noise variance is where σ² starts. */
  readonly likelihood: LikelihoodInput;
  /** Default `kfac()`: an evaluated epoch then takes one more pass for each batch. `kfac({ fisher: 'empirical' })` takes none. */
  readonly curvature?: CurvatureInput | undefined;
  /** Default `exactDamping()`. */
  readonly damping?: Damping | DampingInput | undefined;
  /** One prior precision for all weights, or one for each covered layer. Default `'all'`. */
  readonly per?: 'all' | 'layer' | undefined;
  /** Whether σ² of a Gaussian likelihood is estimated too. Default `'estimated'` where that is possible, otherwise `'fixed'`. */
  readonly noise?: 'fixed' | 'estimated' | undefined;
  /** τ until the first estimate. Default 1. */
  readonly priorPrecision?: number | undefined;
  /** How many epochs an estimate lasts. Default 1. The last epoch is always evaluated. */
  readonly every?: number | undefined;
  /** The number of epochs at the beginning without an estimate. Default 0. */
  readonly burnIn?: number | undefined;
  /** How many evaluations in a row without a better evidence end training. By default nothing ends it. */
  readonly patience?: number | undefined;
  /** N, the number of training examples. `fit` knows it; `fitDataset` does not. */
  readonly datasetSize?: number | undefined;
  /** Called after every observed batch. */
  readonly onProgress?: OnProgress | undefined;
}

const countFromZero = refined(
  'an integer >= 0',
  (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
);

const Options = struct('an object with a likelihood', {
  likelihood: LikelihoodCodec,
  curvature: defaulted(CurvatureCodec, kfac()),
  damping: defaulted(DampingCodec, exactDamping()),
  per: defaulted(literals('all', 'layer'), 'all'),
  noise: optional(literals('fixed', 'estimated')),
  priorPrecision: defaulted(positive, 1),
  every: defaulted(positiveInteger, 1),
  burnIn: defaulted(countFromZero, 0),
  patience: optional(positiveInteger),
  datasetSize: optional(positive),
  onProgress: optional(func<OnProgress>('a function (event) => void')),
});

/** The options that were meant. Throws `InvalidOption`, which names the fields. */
export function evidenceOptionsOf(given: unknown): EvidenceRunOptions {
  const own = optionsOf('evidenceCallback', Options, given);
  const { likelihood, curvature } = own;
  const isOwn = 'fisher' in curvature && curvature.fisher._tag === 'customFisher';
  const estimable = noiseVarianceOf(likelihood) !== undefined && !isOwn;
  const { noise = estimable ? 'estimated' : 'fixed' } = own;
  if (noise === 'fixed' || estimable) return { ...own, noise };
  throw laplaceError('InvalidOption', {
    what: 'evidenceCallback: there is no noise variance to estimate',
    field: 'noise',
    found: `'estimated' for ${isOwn ? 'a customFisher' : likelihood._tag}`,
    expected: "'fixed', or gaussian() with a Fisher matrix of the library",
  });
}
