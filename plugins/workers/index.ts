/**
 * Linear algebra in workers: Eigen in WebAssembly as in `wasmEngine`, with the same results to the last bit, off this thread and as
 * many decompositions at a time as there are cores. Node and browsers; no file is loaded, so a bundler has nothing to lose.
 */
import type { AsyncLinalgEngine, WasmOptions } from 'tfjs-laplace';
import { laplaceError, remoteEngine } from 'tfjs-laplace/extend';
import { createPool } from './pool.js';
import { startThread } from './thread.js';

/** Options of `workerEngine`. */
export interface WorkerEngineOptions extends WasmOptions {
  /**
   * Workers at most, an integer >= 1; they are started as they are needed. Each holds a copy of what it decomposes and as much
   * again, 16 n² bytes twice. Default: as many as the machine has cores, and 4 where that isn't told.
   */
  readonly workers?: number;
}

/** Where the number of cores isn't told. */
const FALLBACK = 4;

/**
 * An engine in workers, for `toPosterior`: all factors are decomposed side by side while this thread stays free, and unsubscribing
 * ends the workers.
 *
 * Throws `InvalidOption` for a number of workers that is none. Its operations give `Backend` where workers or WebAssembly with
 * SIMD are missing, or a Content-Security-Policy forbids them: it has to allow `worker-src blob:`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe, toPosterior } from 'tfjs-laplace';
 * import { workerEngine } from 'tfjs-laplace/plugins/workers';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const engine = workerEngine({ workers: 2 });
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior({ engine })),
 * );
 * posterior.layers.length; // => 1
 * ```
 */
export function workerEngine({ workers = cores(), ...options }: WorkerEngineOptions = {}): AsyncLinalgEngine {
  if (!Number.isInteger(workers) || workers < 1) {
    const [field, found, expected] = ['workers', String(workers), 'an integer >= 1'];
    throw laplaceError('InvalidOption', { what: 'The number of workers is out of range', field, found, expected });
  }
  return remoteEngine((module) => createPool(module, workers, startThread), options);
}

/** Browsers tell, and Node from 21 on, or from 20.16 by another way. */
const cores = (): number =>
  (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ??
  globalThis.process?.getBuiltinModule?.('node:os').availableParallelism() ??
  FALLBACK;
