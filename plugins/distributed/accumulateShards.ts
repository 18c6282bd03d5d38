/** A pass over a data set in shards: what is there already is used, the rest is summed by an engine, and all is merged in the end. */
import { rm } from 'node:fs/promises';
import { concatMap, defer, lastValueFrom, Observable, of, throwError, timeout } from 'rxjs';
import { type Curvature, openFactors, type Posterior, type Progress, type Shard, toPosterior } from 'tfjs-laplace';
import { boolean, firstPass, laplaceError, optional, optionsOf, positive, struct } from 'tfjs-laplace/extend';
import { loadFactors, type MergedFiles, mergeFactorsFiles, savePosterior, withFile } from 'tfjs-laplace/plugins/storage';
import { workerEngine } from 'tfjs-laplace/plugins/workers';
import type { ShardEngine } from './engine.js';
import { basisAt, basisFile, holds, partOf, shardFile, sumFile, wholeOf } from './files.js';
import type { Plan } from './plan.js';

/** The end of a run: the file of the sum, and what it says. */
export interface ShardSum extends MergedFiles {
  readonly _tag: 'sum';
}

/** What a run tells. The last value is the sum. */
export type ShardsEvent = (Progress & { readonly _tag: 'progress' }) | ShardSum;

/** Options of `accumulateShards`. */
export interface AccumulateShardsOptions {
  /** In seconds: a run of which nothing was heard for so long fails, and names the shards that are missing. Default 600. */
  readonly deadline?: number;
  /** Whether the files of shards stay when the sum is there. Default false. */
  readonly keepShards?: boolean;
}

const Options = struct('options', { deadline: optional(positive), keepShards: optional(boolean) });

/** How often shards whose files turn out to be damaged are summed again. */
const ROUNDS = 3;

/**
 * Sums the shards of a plan on an engine, and merges them in the order of the data. The result is that of one pass, but for the rounding of
 * sums, however often workers fail.
 *
 * Every file is written whole or not at all, and says which examples it holds. So a run that was cut off goes on when it is started again
 * with the same plan: shards whose files are there are not summed again, and a sum that is there is returned at once. A damaged file counts as
 * missing. `ekfac` makes two passes: the first for its directions, which are decomposed on worker threads and shared in one file.
 *
 * Nothing happens before somebody subscribes. Unsubscribing ends the work; whole files stay.
 *
 * Errors of the stream: that of a shard, whose message names it; `Mismatch` if a worker's model has other weights; `NotReady` if nothing was
 * heard for the deadline; `Storage`.
 *
 * @throws LaplaceError `InvalidOption` for an unknown option, or one out of range
 */
export function accumulateShards(
  plan: Plan,
  engine: ShardEngine,
  options: AccumulateShardsOptions = {},
): Observable<ShardsEvent> {
  const { deadline = 600, keepShards = false } = optionsOf('accumulateShards', Options, options);
  const pass = (own: Plan, detail: string | undefined, basis?: Posterior): Observable<ShardsEvent> =>
    passOver(own, engine, { deadline, keepShards, detail, basis });
  if (plan.curvature._tag !== 'ekfac') return pass(plan, undefined);
  return defer(async () => basisAt(plan)).pipe(
    concatMap((known) => {
      if (known !== undefined) return pass(plan, 'second pass: moments', known);
      return pass(firstPassOf(plan), 'first pass: eigenvectors').pipe(
        concatMap((event) => {
          if (event._tag !== 'sum') return of(event);
          return defer(() => madeBasis(plan, event)).pipe(concatMap((basis) => pass(plan, 'second pass: moments', basis)));
        }),
      );
    }),
  );
}

/** The pass that finds the directions of `ekfac`: Kronecker factors with the same choices. */
const firstPassOf = (plan: Plan): Plan => ({
  ...plan,
  curvature: firstPass(plan.curvature as Extract<Curvature, { readonly _tag: 'ekfac' }>) as Plan['curvature'],
});

async function madeBasis(plan: Plan, { where }: ShardSum): Promise<Posterior> {
  const factors = await loadFactors(`file://${where}`);
  const basis = await lastValueFrom(of(factors).pipe(toPosterior({ engine: workerEngine() })));
  await savePosterior(basis, `file://${basisFile(plan)}`);
  return basis;
}

interface Means {
  readonly deadline: number;
  readonly keepShards: boolean;
  readonly detail: string | undefined;
  readonly basis: Posterior | undefined;
}

/** One pass: it is a stream whose work is written as an async function, since one step follows another. */
const passOver = (plan: Plan, engine: ShardEngine, { deadline, keepShards, detail, basis }: Means): Observable<ShardsEvent> =>
  new Observable((listener) => {
    const state = { ended: false, stop: () => {} };
    const batchesOf = ({ first, end }: Shard): number => Math.ceil((end - first) / plan.batchSize);
    const total = plan.shards.reduce((sum, shard) => sum + batchesOf(shard), 0);
    const done = new Map<number, number>();
    const tell = (): void => {
      const sum = [...done.values()].reduce((a, b) => a + b, 0);
      const words = detail === undefined ? {} : { detail };
      listener.next({ _tag: 'progress', phase: 'observe', done: sum, total, unit: 'batches', ...words });
    };
    const finish = (shard: number): void => {
      done.set(shard, batchesOf(plan.shards[shard] as Shard));
      tell();
    };

    /** The shards among these whose files are not whole. */
    const missingOf = async (shards: Iterable<number>): Promise<number[]> => {
      const missing: number[] = [];
      for (const shard of shards) {
        if (state.ended) return [];
        if (await holds(plan, shardFile(plan, shard), partOf(plan, plan.shards[shard] as Shard), basis)) finish(shard);
        else missing.push(shard);
      }
      return missing;
    };

    const summed = (missing: ReadonlyArray<number>): Promise<void> =>
      new Promise((resolve, reject) => {
        const left = new Set(missing);
        const late = () => throwError(() => silence(plan, [...left], deadline));
        const work = engine
          .sum(plan, missing)
          .pipe(timeout({ each: 1000 * deadline, with: late }))
          .subscribe({
            next: (event) => {
              if (event._tag === 'batches') {
                done.set(event.shard, event.done);
                return tell();
              }
              left.delete(event.shard);
              finish(event.shard);
            },
            error: reject,
            complete: resolve,
          });
        state.stop = () => work.unsubscribe();
      });

    const work = async (): Promise<void> => {
      const file = sumFile(plan);
      if (!(await holds(plan, file, wholeOf(plan), basis))) {
        let missing = await missingOf(plan.shards.keys());
        for (let round = 0; missing.length > 0 && !state.ended; round++) {
          if (round === ROUNDS) throw damagedAgain(plan, missing);
          await summed(missing);
          missing = await missingOf(missing);
        }
        if (state.ended) return;
        const files = plan.shards.map((_, shard) => `file://${shardFile(plan, shard)}`);
        await mergeFactorsFiles(files, `file://${file}`, basis ? { like: basis } : {});
      }
      if (!keepShards) for (const shard of plan.shards.keys()) await removeFile(shardFile(plan, shard));
      listener.next({ _tag: 'sum', where: file, ...(await factsOf(file, basis)) });
    };
    work().then(
      () => listener.complete(),
      (error: unknown) => listener.error(error),
    );
    return () => {
      state.ended = true;
      state.stop();
    };
  });

/** What a file of factors says of itself. */
const factsOf = (file: string, basis?: Posterior): Promise<Omit<ShardSum, '_tag' | 'where'>> =>
  withFile(file, async (reader) => {
    const { count, datasetSize, parts } = await openFactors(reader, { verify: false, ...(basis && { like: basis }) });
    return { bytes: reader.size, count, datasetSize, ...(parts && { parts }) };
  });

/** Removes a file, and the words about it. */
async function removeFile(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(file.replace(/\.safetensors$/, '.json'), { force: true });
}

const wordsOf = (plan: Plan, shards: ReadonlyArray<number>): string =>
  `${shards.length} of ${plan.shards.length} shards are missing: ${shards.slice(0, 20).join(', ')}${shards.length > 20 ? ', …' : ''}`;

const silence = (plan: Plan, missing: ReadonlyArray<number>, deadline: number) =>
  laplaceError('NotReady', {
    what: `No worker has told anything for ${deadline} seconds`,
    field: 'deadline',
    found: wordsOf(plan, missing),
    expected: 'progress of a shard',
    remedy: 'Look whether workers run, and whether they can read the model and the data. Started again, the run goes on.',
  });

const damagedAgain = (plan: Plan, missing: ReadonlyArray<number>) =>
  laplaceError('Storage', {
    what: `Files of shards are not whole, although they were written ${ROUNDS} times`,
    field: 'where',
    found: wordsOf(plan, missing),
    expected: 'the bytes as they were written',
    remedy: 'Check the disk, and whether all workers write to the folder that the coordinator reads.',
  });
