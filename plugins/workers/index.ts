/**
 * Linear algebra in workers. Like `wasmEngine` it runs Eigen in WebAssembly, with the same results to the last bit. But it leaves
 * this thread free, and decomposes as many matrices at a time as there are cores. It works in Node and in browsers. It loads no
 * file at run time, so that a bundler cannot lose one.
 */
import type { AsyncLinalgEngine, WasmOptions } from 'tfjs-laplace';
import { defaulted, literals, optional, optionsOf, positiveInteger, remoteEngine, struct } from 'tfjs-laplace/extend';
import { createPool } from './pool.js';
import { startThread } from './thread.js';

/** Options of `workerEngine`. */
export interface WorkerEngineOptions extends WasmOptions {
  /**
   * Largest number of workers, an integer >= 1. A worker starts when there is a call for it. While it decomposes an n × n matrix
   * in float64, it holds 24 n² bytes: a copy of the matrix outside the WebAssembly memory (8 n²), and inside it the matrix and
   * the eigenvectors (16 n²). Default: the number of cores, or 4 if the platform does not tell it.
   */
  readonly workers?: number;
}

const Options = struct('options', {
  workers: optional(positiveInteger),
  float: defaulted(literals('float64', 'float32'), 'float64'),
});

/** Default number of workers if the platform does not tell the number of cores. */
const FALLBACK = 4;

/**
 * Makes an engine for `toPosterior` that works in workers. The workers decompose all factors in parallel while this thread stays
 * free. Unsubscribing from the posterior ends the workers.
 *
 * Throws `InvalidOption` when `workers` is not an integer >= 1. An operation of the engine gives a `Backend` error when workers
 * or WebAssembly with SIMD are missing, or when a Content-Security-Policy forbids them. The policy has to allow `worker-src
 * blob:`.
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
export function workerEngine(options: WorkerEngineOptions = {}): AsyncLinalgEngine {
  const { workers = cores(), float } = optionsOf('workerEngine', Options, options);
  return remoteEngine((module) => createPool(module, workers, startThread), { float });
}

/** The number of cores: from `navigator` in browsers and in Node from 21 on, from `node:os` in Node from 20.16 on. */
const cores = (): number =>
  (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ??
  globalThis.process?.getBuiltinModule?.('node:os').availableParallelism() ??
  FALLBACK;
