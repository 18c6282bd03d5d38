/** Checkpoints of a long pass: its sums so far, kept now and then, so that a pass that was cut off can go on. */
import { func, positiveInteger, struct } from '../codec/index.js';
import { type Factors, merge } from '../curvature/factors.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { orThrow } from '../orThrow.js';
import type { EpochAccumulator } from './epochAccumulator.js';
import type { ObservedBatch } from './observed.js';

/** Where the sums of a pass are kept, and how often. `checkpoint` of `tfjs-laplace/plugins/storage` makes one for a file. */
export interface Checkpoint {
  /** The sums are kept after every so many batches. A pass that goes on has the same result, bit for bit, only with the same number. */
  readonly every: number;
  /** The sums that were kept last; undefined if there are none. */
  readonly load: () => Promise<Factors | undefined>;
  /** Keeps sums. Their field `batches` is the number of batches in them. */
  readonly save: (factors: Factors) => Promise<void>;
  /** Called after the pass has ended: the sums are of no use any more. */
  readonly clear: () => Promise<void>;
}

export const CheckpointCodec = struct('a checkpoint', {
  every: positiveInteger,
  load: func<Checkpoint['load']>('a function () => Promise<Factors | undefined>'),
  save: func<Checkpoint['save']>('a function (factors) => Promise<void>'),
  clear: func<Checkpoint['clear']>('a function () => Promise<void>'),
});

/** A pass that keeps its sums. */
export interface Checkpointed {
  /** Takes a batch, or passes over it if it is in the sums that were kept. Batches come one at a time. */
  readonly take: (batch: ObservedBatch) => Promise<void>;
  /** The sums of the whole pass. */
  readonly end: () => Promise<Factors>;
  /** The sums so far, if there are any. */
  readonly gathered: () => Promise<Factors | undefined>;
  readonly dispose: () => Promise<void>;
}

/**
 * Starts a pass. The sums of every section between two checkpoints are added to those before on the host, in order. So it makes no
 * difference where the pass is cut off, and goes on.
 *
 * @param create makes an accumulator for one section, which counts its batches from the given number on
 */
export function checkpointed({ every, load, save }: Checkpoint, create: (before: number) => EpochAccumulator): Checkpointed {
  let carried: Factors | undefined;
  let section: EpochAccumulator | undefined;
  let seen = 0;
  let loaded: Promise<void> | undefined;
  const begin = async (): Promise<void> => {
    carried = await load();
    if (carried !== undefined && carried.batches === undefined) throw noCheckpoint();
  };
  const joined = (piece: Factors | undefined): Factors | undefined => {
    if (carried === undefined || piece === undefined) return piece ?? carried;
    const { batches: _, ...before } = carried;
    return orThrow(merge(before, piece));
  };
  const close = async (): Promise<void> => {
    carried = joined(await section?.end());
    section = undefined;
  };
  return {
    take: async (batch) => {
      if (batch.transient) throw transient();
      loaded ??= begin();
      await loaded;
      seen++;
      if (seen <= (carried?.batches ?? 0)) return;
      section ??= create(seen - 1);
      await section.take(batch)();
      if (seen % every !== 0) return;
      await close();
      carried = { ...(carried as Factors), batches: seen };
      await save(carried);
    },
    end: async () => {
      const kept = carried?.batches ?? 0;
      if (seen < kept) throw fewer(seen, kept);
      if (section === undefined && carried === undefined) section = create(0);
      await close();
      const { batches: _, ...whole } = carried as Factors;
      return whole;
    },
    gathered: async () => joined(await section?.gathered()),
    dispose: async () => section?.dispose(),
  };
}

const fewer = (found: number, kept: number): LaplaceError =>
  laplaceError('Mismatch', {
    what: 'The pass has fewer batches than its checkpoint',
    field: 'checkpoint',
    found: `${found} batches`,
    expected: `at least ${kept}, which are in the sums that were kept`,
    remedy: 'Give the same batches in the same order, or remove the checkpoint of the other pass.',
  });

const noCheckpoint = (): LaplaceError =>
  laplaceError('Mismatch', {
    what: 'The factors that were kept are those of a whole pass, and no checkpoint',
    field: 'checkpoint',
    found: 'factors without a number of batches',
    expected: 'sums that a pass with this checkpoint has kept',
    remedy: 'Keep checkpoints in a place of their own.',
  });

const transient = (): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'Batches of a training run come once, and cannot be passed over later',
    field: 'checkpoint',
    found: 'batches of a training callback',
    expected: 'batches of observe(…)',
  });
