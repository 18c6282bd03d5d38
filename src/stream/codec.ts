/** Selections of epochs as data: they say which epochs of a training count. `epochWindow.ts` says what each selection does. */
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
  /** k: how many epochs at the end of training count. */
  count: defaulted(positiveInteger, 1),
  /** Whether training may end sooner than announced. Then every epoch is observed, and the last k are kept. */
  stopsEarly: defaulted(boolean, true),
});
const EveryEpoch = variant('everyEpoch', {});
const EpochsWhere = variant('epochsWhere', {
  /** Whether to observe this epoch, numbered from 0. */
  predicate: func<(epoch: number) => boolean>('a function (epoch) => boolean'),
});

const EpochSelections = taggedUnion('a selection of epochs', FinalEpochs, EveryEpoch, EpochsWhere);

/** Which epochs of a training count. */
export type EpochSelection = Flat<t.TypeOf<typeof EpochSelections>>;

/** The accepted input for a selection of epochs. */
export type EpochSelectionInput = Flat<InputOf<typeof EpochSelections>>;

/** Decodes a selection of epochs. */
export const EpochSelectionCodec: Codec<EpochSelection, EpochSelectionInput> = EpochSelections;

/** Options of `finalEpochs` beside the count. */
export type FinalEpochsOptions = Flat<Omit<Options<typeof FinalEpochs>, 'count'>>;

const EVERY_EPOCH: EpochSelection = Object.freeze({ _tag: 'everyEpoch' });

/**
 * The last `count` epochs, wherever training ends. If something can stop the training early, nobody knows beforehand which epochs
 * are the last: then every epoch is observed, and the last ones are kept. `stopsEarly: false` promises that training runs all the
 * epochs that it announces: then only the final ones are observed, and the others cost nothing.
 *
 * @example
 * ```ts
 * import { finalEpochs } from 'tfjs-laplace';
 *
 * finalEpochs(2); // => { _tag: 'finalEpochs', count: 2, stopsEarly: true }
 * ```
 */
export const finalEpochs = (count = 1, options: FinalEpochsOptions = {}): EpochSelection =>
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
export const everyEpoch = (): EpochSelection => EVERY_EPOCH;

/**
 * The epochs, numbered from 0, for which the predicate holds.
 *
 * @example
 * ```ts
 * import { epochsWhere } from 'tfjs-laplace';
 *
 * epochsWhere((epoch) => epoch >= 3)._tag; // => 'epochsWhere'
 * ```
 */
export const epochsWhere = (predicate: (epoch: number) => boolean): EpochSelection =>
  make('epochsWhere', EpochsWhere, { predicate });
