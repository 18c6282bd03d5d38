/**
 * Decides which epochs are observed while training runs, and which of them count in the end.
 *
 * If training may end sooner than announced, nobody knows beforehand which epochs are the last. Then `finalEpochs(k)` observes every
 * epoch and keeps the last k. Otherwise it observes only the last k announced epochs. Its `stopsEarly` says which of the two it is.
 * If that is absent, the caller of `ruleOf` says it.
 */
import { type Factors, mergeEpochs } from '../curvature/factors.js';
import { orThrow } from '../orThrow.js';
import type { EpochSelection } from './codec.js';

/** Factors of the epochs that have ended and may still count, oldest first. Never holds more of them than the selection needs. */
export type EpochWindow = ReadonlyArray<Factors>;

/** The rule of one selection. */
export interface EpochRule {
  /** Whether to observe this epoch, numbered from 0. */
  readonly observes: (epoch: number) => boolean;
  /** The window after one more epoch. `stopping` says that training ends with this epoch, perhaps in the middle of it. */
  readonly append: (window: EpochWindow, epoch: Factors, stopping: boolean) => EpochWindow;
}

/**
 * The rule of a selection.
 *
 * @param announced the number of the epoch at which training ends, if nothing stops it early: `epochs` of tfjs's `fit`
 * @param mayStop whether something may stop training early; a selection that says so itself wins
 */
export function ruleOf(selection: EpochSelection, announced: number, mayStop = false): EpochRule {
  switch (selection._tag) {
    case 'everyEpoch':
      return { observes: () => true, append: addUp };
    case 'epochsWhere':
      return { observes: selection.predicate, append: addUp };
    case 'finalEpochs': {
      const { count, stopsEarly = mayStop } = selection;
      return {
        observes: (epoch) => stopsEarly || epoch >= announced - count,
        append: (window, epoch, stopping) => {
          const all = [...window, epoch];
          return (stopping ? wholeEpochs(all) : all).slice(-count);
        },
      };
    }
  }
}

/** The sum over the epochs of a window; undefined for an empty one. */
export const sumOf = (window: EpochWindow): Factors | undefined => (window.length === 0 ? undefined : window.reduce(plus));

const addUp: EpochRule['append'] = (window, epoch) => [[...window, epoch].reduce(plus)];

/** An epoch that was cut short has fewer examples than the others. It gives way to whole epochs, if there are any. */
function wholeEpochs(window: EpochWindow): EpochWindow {
  const most = Math.max(...window.map(({ count }) => count));
  return window.filter(({ count }) => count === most);
}

/** The sum of two epochs. Epochs of one network have the same layout, so the sum exists. */
const plus = (a: Factors, b: Factors): Factors => orThrow(mergeEpochs(a, b));
