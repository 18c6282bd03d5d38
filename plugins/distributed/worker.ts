/** The program of a worker's process. */
import { useBackend, withoutGreeting } from 'tfjs-laplace/plugins/backends';
import { removeUnfinished } from 'tfjs-laplace/plugins/storage';
import { sentError } from './failures.js';
import type { Answer, Order } from './messages.js';
import { type ShardRun, shardRun } from './shardRun.js';

/** In milliseconds. */
const BETWEEN_EVENTS = 200;

/**
 * Works for the `processEngine` that has started this process, until that ends it. A program of your own calls it when it has registered
 * what your model or data need.
 *
 * @example
 * ```ts
 * // worker.mjs, for processEngine({ program: './worker.mjs' })
 * import { shardWorker } from 'tfjs-laplace/plugins/distributed';
 *
 * const start = () => shardWorker();
 * ```
 */
export function shardWorker(): void {
  let run: Promise<ShardRun> | undefined;
  const answer = (own: Answer): void => void process.send?.(own);
  const leave = (code: number): never => {
    removeUnfinished();
    process.exit(code);
  };
  process.on('SIGTERM', () => leave(143));
  // The coordinator is gone: nobody waits for the shard.
  process.on('disconnect', () => leave(0));

  const begin = async (order: Extract<Order, { _tag: 'plan' }>): Promise<ShardRun> => {
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
    process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
    await withoutGreeting(() => useBackend(order.backend === undefined ? {} : { prefer: order.backend }));
    return shardRun(order.plan);
  };
  process.on('message', (order: Order) => {
    if (order._tag === 'plan') {
      run = begin(order);
      run.then(
        () => answer({ _tag: 'ready' }),
        (error: unknown) => answer({ _tag: 'failed', error: sentError(error) }),
      );
      return;
    }
    const { shard } = order;
    let told = 0;
    const onBatch = (done: number): void => {
      if (Date.now() - told < BETWEEN_EVENTS) return;
      told = Date.now();
      answer({ _tag: 'batches', shard, done });
    };
    (run as Promise<ShardRun>)
      .then((own) => own.sum(shard, onBatch))
      .then(
        () => answer({ _tag: 'shard', shard }),
        (error: unknown) => answer({ _tag: 'failed', shard, error: sentError(error) }),
      );
  });
}
