/** Selections of epochs as data: they say which epochs of a training count. `epochWindow.ts` says what each selection does. */
import type * as t from 'io-ts';
import {
  beside,
  boolean,
  type Codec,
  defaulted,
  type Flat,
  func,
  type InputOf,
  make,
  type Options,
  optional,
  positiveInteger,
  taggedUnion,
  variant,
} from '../codec/index.js';

const FinalEpochs = variant('finalEpochs', {
  /** k: how many epochs at the end of training count. */
  count: defaulted(positiveInteger, 1),
  /**
   * Whether training may end sooner than announced. If it may, every epoch is observed, and the last k are kept. If it may not,
   * only the last k are observed. If absent, whoever runs the training finds out.
   */
  stopsEarly: optional(boolean),
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
 * The last `count` epochs of a training.
 *
 * An observed epoch costs time, so by default only the last epochs that `fit` announces are observed. An `EarlyStopping` callback in
 * the same `fit` can end training sooner. The training callback notices it, observes every epoch, and keeps the last ones. It
 * cannot notice code of your own that sets `model.stopTraining`:
 *
 * - If such code ends training before the last `count` announced epochs, there are no factors. The error `Empty` says so.
 * - If it ends training among them, the epochs that were observed count. An epoch that was cut short gives way to whole ones. If it
 *   is the only one it counts, and N is the number of its examples: pass `datasetSize` to `toPosterior`.
 *
 * `stopsEarly: true` says that training may end at any time: every epoch is observed, and the last ones are kept. `stopsEarly:
 * false` promises that it runs to the announced end, whatever callbacks there are.
 *
 * @example
 * ```ts
 * import { finalEpochs } from 'tfjs-laplace';
 *
 * finalEpochs(2); // => { _tag: 'finalEpochs', count: 2 }
 * finalEpochs(1, { stopsEarly: true }); // => { _tag: 'finalEpochs', count: 1, stopsEarly: true }
 * ```
 */
export const finalEpochs = (count = 1, options: FinalEpochsOptions = {}): EpochSelection =>
  make('finalEpochs', FinalEpochs, beside('finalEpochs', options, { count }));

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
