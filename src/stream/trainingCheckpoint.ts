/** Checkpoints of a training: the sums of its epochs so far, so that a `fit` that was cut off can go on with another one. */
import { func, ofKind, struct } from '../codec/index.js';
import { FACTORS, type Factors } from '../curvature/factors.js';
import { orThrow } from '../orThrow.js';

/** The sums of the epochs that have ended and may still count. */
export interface KeptEpochs {
  /** The number of the last epoch that ended, from 0. */
  readonly epoch: number;
  /** Factors, oldest first, at least one: of each epoch for `finalEpochs`, else the sum of all. The last have the weights at the end of it. */
  readonly window: ReadonlyArray<Factors>;
}

/**
 * Where the sums of a training's epochs are kept, after each epoch that counts. `trainingCheckpoint` of `tfjs-laplace/plugins/storage` makes
 * one for a folder.
 */
export interface TrainingCheckpoint {
  /** The epochs that were kept last; undefined if there are none. */
  readonly load: () => Promise<KeptEpochs | undefined>;
  readonly save: (kept: KeptEpochs) => Promise<void>;
  /** Called when the training has ended regularly, before its factors go out: the sums are of no use any more. */
  readonly clear: () => Promise<void>;
}

export const TrainingCheckpointCodec = struct('a checkpoint of a training', {
  load: func<TrainingCheckpoint['load']>('a function () => Promise<{ epoch, window } | undefined>'),
  save: func<TrainingCheckpoint['save']>('a function ({ epoch, window }) => Promise<void>'),
  clear: func<TrainingCheckpoint['clear']>('a function () => Promise<void>'),
});

/** The epochs that a checkpoint has kept. Rejects with `InvalidInput` for what are none. */
export async function keptEpochs({ load }: TrainingCheckpoint): Promise<KeptEpochs | undefined> {
  const kept = await load();
  if (kept === undefined || kept === null) return undefined;
  for (const factors of kept.window) orThrow(ofKind('checkpoint', FACTORS, factors));
  return kept.window.length === 0 ? undefined : kept;
}
