/** Starts the fastest backend that works here: TensorFlow's own kernels in Node, else WebAssembly, else plain JavaScript. */
import { orThrow } from 'tfjs-laplace';
import { literals, optional, optionsOf, struct } from 'tfjs-laplace/extend';
import { BACKENDS, type Backend, type BackendName, choose, type Trial } from './choose.js';
import { start } from './start.js';

export type { Backend, BackendName } from './choose.js';
export { withoutGreeting } from './greeting.js';

/** Options of `useBackend`. */
export interface UseBackendOptions {
  /** The only backend to try. Default: the fastest one that works. */
  readonly prefer?: BackendName;
}

const Options = struct('options', { prefer: optional(literals(...BACKENDS)) });

/**
 * Chooses a backend, starts it and waits until it is ready. Without `prefer`, it skips a backend whose package is missing. For
 * WASM it also registers the kernels of `tfjs-laplace/plugins/wasm-kernels`: without them many networks do not train on WASM, and
 * all train slowly. For TensorFlow's own kernels it defines `util.isNullOrUndefined` where Node has removed it (from Node 23 on),
 * because TensorFlow's package calls it; the reason says so.
 *
 * Rejects with a `LaplaceError`: `Backend` when the named backend does not work here or none does, `InvalidOption` when the name
 * is unknown.
 *
 * @returns the name of the backend, why it was chosen, and how much slower it is than the fastest
 *
 * @example
 * ```ts
 * import { useBackend } from 'tfjs-laplace/plugins/backends';
 *
 * const { name, cost } = await useBackend();
 * ['node', 'wasm', 'cpu'].includes(name); // => true
 * ```
 */
export async function useBackend(options: UseBackendOptions = {}): Promise<Backend> {
  const { prefer } = optionsOf('useBackend', Options, options);
  const trials: Trial[] = [];
  for (const name of prefer === undefined ? BACKENDS : [prefer]) {
    const trial = await start(name);
    trials.push(trial);
    if (trial.failure === undefined) break;
  }
  return orThrow(choose(prefer, trials));
}
