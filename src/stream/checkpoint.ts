/** Checkpoints of a long pass: its sums so far, kept now and then, so that a pass that was cut off can go on. */
import { func, ofKind, positiveInteger, struct } from '../codec/index.js';
import { FACTORS, type Factors, merge } from '../curvature/factors.js';
import { examplesIn, type PartStart, type Parts, partText, withPart } from '../curvature/parts.js';
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
  /** Called when the pass has ended, before its result goes out: the sums are of no use any more. */
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
  /** The number of examples in the batches so far. */
  readonly seen: () => number;
  readonly dispose: () => Promise<void>;
}

/** What a pass is made of. */
export interface Sections {
  /** Makes an accumulator for one section, which counts its batches from the given number on. */
  readonly create: (before: number) => EpochAccumulator;
  /** Factors of a batch's model without an example. */
  readonly empty: (batch: ObservedBatch) => Promise<Factors>;
  /** Where this part of the data begins. */
  readonly part: PartStart | undefined;
}

/**
 * Starts a pass. The sums of every section between two checkpoints are added to those before on the host, in order. So it makes no
 * difference where the pass is cut off, and goes on.
 */
export function checkpointed({ every, load, save }: Checkpoint, { create, empty, part }: Sections): Checkpointed {
  /** The sums of all sections that have ended, without their part and number of batches, and that number. */
  let carried: Factors | undefined;
  let kept = 0;
  let section: EpochAccumulator | undefined;
  let seen = 0;
  /** The number of examples in the sums that are carried, and in the sections since they were kept. */
  let examples = 0;
  let begun: Promise<void> | undefined;
  let isDisposed = false;
  const begin = async (batch: ObservedBatch): Promise<void> => {
    const found = await load();
    if (found === undefined || found === null) return;
    const { batches, parts, ...sums } = orThrow(ofKind('checkpoint', FACTORS, found));
    if (batches === undefined) throw noCheckpoint();
    if (!isOf(part, parts)) throw anotherPart(parts, part);
    // Other weights, and another curvature, are told before the work begins.
    orThrow(merge(sums, await empty(batch)));
    carried = sums;
    kept = batches;
    examples = examplesIn(parts ?? []);
  };
  const joined = (piece: Factors | undefined): Factors | undefined =>
    carried === undefined || piece === undefined ? (piece ?? carried) : orThrow(merge(carried, piece));
  const close = async (): Promise<void> => {
    carried = joined(await section?.end());
    examples += section?.seen() ?? 0;
    section = undefined;
  };
  return {
    take: async (batch) => {
      if (batch.transient) throw transient();
      begun ??= begin(batch);
      await begun;
      seen++;
      if (seen <= kept || isDisposed) return;
      section ??= create(seen - 1);
      await section.take(batch)();
      if (seen % every !== 0 || isDisposed) return;
      await close();
      await save({ ...withPart(carried as Factors, part, examples), batches: seen });
    },
    end: async () => {
      if (seen < kept) throw fewer(seen, kept);
      if (section === undefined && carried === undefined) section = create(0);
      await close();
      return carried as Factors;
    },
    gathered: async () => joined(await section?.gathered()),
    seen: () => examples + (section?.seen() ?? 0),
    dispose: async () => {
      isDisposed = true;
      await section?.dispose();
    },
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

/** Whether parts are what a pass that begins there has counted. */
const isOf = (part: PartStart | undefined, parts: Parts | undefined): boolean =>
  part === undefined
    ? parts === undefined
    : parts?.length === 1 && parts[0]?.dataset === part.dataset && parts[0].first === part.first;

const anotherPart = (found: Parts | undefined, part: PartStart | undefined): LaplaceError =>
  laplaceError('Mismatch', {
    what: 'The checkpoint is that of another part of the data',
    field: 'part',
    found: found === undefined ? 'a part without a name' : found.map(partText).join(', '),
    expected: part === undefined ? 'a part without a name' : `examples from ${part.first} on of ${JSON.stringify(part.dataset)}`,
    remedy: 'Keep the checkpoints of different parts in different places.',
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
