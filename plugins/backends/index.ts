/** The best backend that works here: TensorFlow's own kernels under Node, else WebAssembly, else plain JavaScript. */
import { either as E } from 'fp-ts';
import { type Backend, type BackendName, candidates, choose, type Trial } from './choose.js';
import { start } from './start.js';

export type { Backend, BackendName } from './choose.js';

/** Options of `useBackend`. */
export interface UseBackendOptions {
  /** This one and no other. Default: the best that works. */
  readonly prefer?: BackendName;
}

/**
 * Chooses a backend, starts it and waits until it is ready. A package that is missing is passed over, unless it was named. With WASM
 * it registers the kernels of `tfjs-laplace/plugins/wasm-kernels` as well, for training that is possible and fast.
 *
 * Rejects with a `LaplaceError`: `Backend` when the named one does not work here, `InvalidOption` for an unknown name.
 *
 * @example
 * ```ts
 * import { useBackend } from 'tfjs-laplace/plugins/backends';
 *
 * const { name, cost } = await useBackend();
 * ['node', 'wasm', 'cpu'].includes(name); // => true
 * ```
 */
export async function useBackend({ prefer }: UseBackendOptions = {}): Promise<Backend> {
  const trials: Trial[] = [];
  for (const name of orThrow(candidates(prefer))) {
    const trial = await start(name);
    trials.push(trial);
    if (trial.failure === undefined) break;
  }
  return orThrow(choose(prefer, trials));
}

function orThrow<L, A>(value: E.Either<L, A>): A {
  if (E.isLeft(value)) throw value.left;
  return value.right;
}
