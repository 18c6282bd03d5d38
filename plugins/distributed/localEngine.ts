/** Shards one after another in this process. */
import { Observable } from 'rxjs';
import type { ShardEngine, ShardEvent } from './engine.js';
import { sentError, shardError } from './failures.js';
import { type OpenRange, shardRun } from './shardRun.js';

/** Options of `localEngine`. */
export interface LocalEngineOptions {
  /** The function that gives the examples of a range, in place of that of the data module. */
  readonly open?: OpenRange;
}

/**
 * Sums shards one after another in this process, on the backend that is started.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { localEngine } from 'tfjs-laplace/plugins/distributed';
 *
 * const [x, y] = [tf.randomNormal([60, 2]), tf.range(0, 60).mod(3).toInt() as tf.Tensor1D];
 * const engine = localEngine({ open: ({ first, end }) => ({ x: x.slice(first, end - first), y: y.slice(first, end - first) }) });
 * // accumulateShards(plan, engine)
 * ```
 */
export const localEngine = ({ open }: LocalEngineOptions = {}): ShardEngine => ({
  sum: (plan, shards) =>
    new Observable<ShardEvent>((listener) => {
      const work = async (): Promise<void> => {
        const run = await shardRun(plan, open);
        try {
          for (const shard of shards) {
            if (listener.closed) return;
            await run
              .sum(shard, (done) => listener.next({ _tag: 'batches', shard, done }))
              .catch((error: unknown) => {
                throw shardError(plan, shard, sentError(error));
              });
            listener.next({ _tag: 'shard', shard });
          }
        } finally {
          run.dispose();
        }
      };
      work().then(
        () => listener.complete(),
        (error: unknown) => listener.error(error),
      );
    }),
});
