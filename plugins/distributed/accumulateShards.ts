/** A pass over a data set in shards: what is there already is used, the rest is summed by an engine, and all is merged in the end. */
import { concatMap, defer, lastValueFrom, type Observable, of } from 'rxjs';
import { type Curvature, type Posterior, toPosterior } from 'tfjs-laplace';
import { boolean, firstPass, optional, optionsOf, positive, struct } from 'tfjs-laplace/extend';
import { loadFactors, savePosterior } from 'tfjs-laplace/plugins/storage';
import { workerEngine } from 'tfjs-laplace/plugins/workers';
import type { ShardEngine } from './engine.js';
import { basisAt, basisFile } from './files.js';
import { passOver, type ShardSum, type ShardsEvent } from './pass.js';
import type { Plan } from './plan.js';

/** Options of `accumulateShards`. */
export interface AccumulateShardsOptions {
  /** In seconds: a run of which nothing was heard for so long fails, and names the shards that are missing. Default 600. */
  readonly deadline?: number;
  /** Whether the files of shards stay when the sum is there. Default false. */
  readonly keepShards?: boolean;
}

const Options = struct('options', { deadline: optional(positive), keepShards: optional(boolean) });

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
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import * as tf from '@tensorflow/tfjs';
 * import { lastValueFrom } from 'rxjs';
 * import { accumulateShards, localEngine, shardPlan } from 'tfjs-laplace/plugins/distributed';
 * import { loadFactors, modelFiles } from 'tfjs-laplace/plugins/storage';
 *
 * const folder = await mkdtemp(join(tmpdir(), 'laplace-'));
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
 * await model.save(modelFiles(join(folder, 'model')));
 * const plan = await shardPlan({
 *   model: join(folder, 'model'),
 *   likelihood: 'categorical',
 *   data: { module: './examples.mjs', dataset: 'mine', examples: 60 },
 *   batchSize: 10,
 *   shardSize: 20,
 *   where: join(folder, 'run'),
 * });
 * // processEngine() in an application, which loads the data module in each of its processes.
 * const open = ({ first, end }: { first: number; end: number }) => ({
 *   x: tf.randomNormal([end - first, 2]),
 *   y: tf.range(first, end).mod(3).toInt(),
 * });
 * const end = await lastValueFrom(accumulateShards(plan, localEngine({ open })));
 * if (end._tag === 'sum') (await loadFactors(`file://${end.where}`)).count; // => 60
 * ```
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
