/** Observations as data: which epochs of a training are folded into factors. Epochs count from 0. */
import type * as t from 'io-ts';
import {
  boolean,
  type Codec,
  defaulted,
  type Flat,
  func,
  type InputOf,
  make,
  type Options,
  positiveInteger,
  taggedUnion,
  variant,
} from '../codec/index.js';

const FinalEpochs = variant('finalEpochs', {
  /** How many epochs at the end. */
  count: defaulted(positiveInteger, 1),
  /** Whether training may end sooner than announced: then every epoch is observed and the last ones kept. */
  stopsEarly: defaulted(boolean, true),
});
const EveryEpoch = variant('everyEpoch', {});
const Epochs = variant('epochs', {
  /** Whether to observe this epoch, counted from 0. */
  predicate: func<(epoch: number) => boolean>('a function (epoch) => boolean'),
});

const Observations = taggedUnion('an observation', FinalEpochs, EveryEpoch, Epochs);

/** Which epochs of a training are observed. */
export type Observation = Flat<t.TypeOf<typeof Observations>>;

/** What may be written for an observation. */
export type ObservationInput = Flat<InputOf<typeof Observations>>;

/** Decodes an observation. */
export const ObservationCodec: Codec<Observation, ObservationInput> = Observations;

/** Options of `finalEpochs` beside the count. */
export type FinalEpochsOptions = Flat<Omit<Options<typeof FinalEpochs>, 'count'>>;

const EVERY_EPOCH: Observation = Object.freeze({ _tag: 'everyEpoch' });

/**
 * The last `count` epochs, wherever training ends. Which epochs those are is known only in hindsight when something can stop the
 * training early, so that every epoch is observed and the last ones are kept. `stopsEarly: false` says that training runs the
 * epochs that were announced: then only the final ones are observed, and the others cost nothing.
 *
 * @example
 * ```ts
 * import { finalEpochs } from 'tfjs-laplace';
 *
 * finalEpochs(2); // => { _tag: 'finalEpochs', count: 2, stopsEarly: true }
 * ```
 */
export const finalEpochs = (count = 1, options: FinalEpochsOptions = {}): Observation =>
  make('finalEpochs', FinalEpochs, { ...options, count });

/**
 * Every epoch.
 *
 * @example
 * ```ts
 * import { everyEpoch } from 'tfjs-laplace';
 *
 * everyEpoch(); // => { _tag: 'everyEpoch' }
 * ```
 */
export const everyEpoch = (): Observation => EVERY_EPOCH;

/**
 * The epochs, counted from 0, for which the predicate holds.
 *
 * @example
 * ```ts
 * import { epochs } from 'tfjs-laplace';
 *
 * epochs((epoch) => epoch >= 3)._tag; // => 'epochs'
 * ```
 */
export const epochs = (predicate: (epoch: number) => boolean): Observation => make('epochs', Epochs, { predicate });
