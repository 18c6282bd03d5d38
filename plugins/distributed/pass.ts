/** One pass of a run: what is there is used, the rest is summed, and all is merged. */
import { rm } from 'node:fs/promises';
import { Observable, throwError, timeout } from 'rxjs';
import { isLaplaceError, openFactors, type Posterior, type Progress, type Shard } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { type MergedFiles, mergeFactorsFiles, withFile } from 'tfjs-laplace/plugins/storage';
import type { ShardEngine } from './engine.js';
import { holds, partOf, shardFile, sumFile, wholeOf } from './files.js';
import type { Plan } from './plan.js';

/** The end of a run: the file of the sum, and what it says. */
export interface ShardSum extends MergedFiles {
  readonly _tag: 'sum';
}

/** What a run tells. The last value is the sum. */
export type ShardsEvent = (Progress & { readonly _tag: 'progress' }) | ShardSum;

/** What a file that is not whole makes of a merge: it is no file, holds other examples, or has gone. */
const DAMAGE: ReadonlySet<string> = new Set(['InvalidFile', 'Mismatch', 'Storage']);

/** How often shards whose files turn out to be damaged are summed again. */
const ROUNDS = 3;

/** How a pass goes about its work. */
export interface PassOptions {
  readonly deadline: number;
  readonly keepShards: boolean;
  readonly detail: string | undefined;
  readonly basis: Posterior | undefined;
}

/** Makes a pass. It is a stream whose work is written as an async function, since one step follows another. */
export const passOver = (
  plan: Plan,
  engine: ShardEngine,
  { deadline, keepShards, detail, basis }: PassOptions,
): Observable<ShardsEvent> =>
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

    /** The shards among these whose files are not there. With `verify` their numbers are checked too. */
    const missingOf = async (shards: Iterable<number>, verify: boolean): Promise<number[]> => {
      const missing: number[] = [];
      for (const shard of shards) {
        if (state.ended) return [];
        const part = partOf(plan, plan.shards[shard] as Shard);
        if (await holds(plan, shardFile(plan, shard), part, { basis, verify })) finish(shard);
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

    /** Merges the files; gives the shards whose files turn out to be damaged. The merge reads and checks all their bytes anyway. */
    const merged = async (file: string): Promise<ReadonlyArray<number>> => {
      const files = plan.shards.map((_, shard) => `file://${shardFile(plan, shard)}`);
      try {
        await mergeFactorsFiles(files, `file://${file}`, basis ? { like: basis } : {});
        return [];
      } catch (error) {
        const damaged = isLaplaceError(error) && DAMAGE.has(error.kind) ? await missingOf(plan.shards.keys(), true) : [];
        if (damaged.length === 0) throw error;
        return damaged;
      }
    };

    const work = async (): Promise<void> => {
      const file = sumFile(plan);
      if (!(await holds(plan, file, wholeOf(plan), { basis, verify: true }))) {
        let missing: ReadonlyArray<number> = await missingOf(plan.shards.keys(), false);
        for (let round = 0; !state.ended; round++) {
          if (missing.length === 0) missing = await merged(file);
          if (missing.length === 0) break;
          if (round === ROUNDS) throw damagedAgain(plan, missing);
          await summed(missing);
          missing = await missingOf(missing, false);
        }
        if (state.ended) return;
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
