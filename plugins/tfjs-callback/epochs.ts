/**
 * Which epochs are observed, and which of them count in the end. `finalEpochs(k)` cannot know beforehand which epochs are final,
 * since early stopping may end training sooner than announced: it observes every epoch and keeps the last k, unless it was told
 * that training never stops early (`stopsEarly: false`).
 */

import { either as E } from 'fp-ts';
import { type Factors, mergeEpochs, type Observation } from 'tfjs-laplace';

/** Whether to observe this epoch (0-based) of so many announced. */
export function observes(observation: Observation, epoch: number, announced: number): boolean {
  switch (observation._tag) {
    case 'everyEpoch':
      return true;
    case 'epochs':
      return observation.predicate(epoch);
    case 'finalEpochs':
      return observation.stopsEarly || epoch >= announced - observation.count;
  }
}

/** Factors of the epochs that ended so far, oldest first; never more than are needed. */
export type Window = ReadonlyArray<Factors>;

/** Adds an epoch; `stopping` when training is about to end, perhaps in the middle of it. */
export function append(observation: Observation, window: Window, epoch: Factors, stopping: boolean): Window {
  const all = [...window, epoch];
  if (observation._tag !== 'finalEpochs') return [all.reduce(merged)];
  return (stopping ? whole(all) : all).slice(-observation.count);
}

/** The sum over the epochs that count; undefined without one. */
export const total = (window: Window): Factors | undefined => (window.length === 0 ? undefined : window.reduce(merged));

/** An epoch that was cut short, and so has fewer examples, gives way to whole ones, if there are any. */
function whole(window: Window): Window {
  const most = Math.max(...window.map((f) => f.count));
  return window.filter((f) => f.count === most);
}

/** Epochs of one training run have one layout, so that the sum exists. */
const merged = (a: Factors, b: Factors): Factors => {
  const sum = mergeEpochs(a, b);
  if (E.isLeft(sum)) throw sum.left;
  return sum.right;
};
