/**
 * Chooses the engine that does the linear algebra: TensorFlow's kernels if the current tfjs backend is TensorFlow itself,
 * otherwise WebAssembly, and plain JavaScript if WebAssembly cannot run. The choice is made anew each time, as the backend can
 * change. The `name` of the chosen engine says which it is.
 */
import { either as E, function as F, option as O, type taskEither as TE } from 'fp-ts';
import { argument } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { type EngineChoice, EngineNameCodec } from './choice.js';
import type { AsyncLinalgEngine, EngineName, LinalgEngine } from './engine.js';
import { javascriptEngine } from './javascript.js';
import { batchingTensorflowEngine, tensorflowEngine } from './tensorflow.js';
import { prepareWasm } from './wasm/runtime.js';
import { wasmEngine } from './wasm.js';

/**
 * The fastest engine that runs here.
 *
 * @example
 * ```ts
 * import { defaultEngine } from 'tfjs-laplace/extend';
 *
 * defaultEngine().name; // 'tensorflow' with tfjs-node, else 'wasm', or 'javascript' where WebAssembly has no SIMD
 * ```
 */
export const defaultEngine = (): LinalgEngine =>
  F.pipe(
    tensorflowEngine(),
    O.alt(() => O.fromEither(wasmEngine())),
    O.getOrElse(() => javascriptEngine),
  );

/**
 * The engine of that name.
 *
 * @returns the engine, or `Backend` if it cannot run.
 * @throws LaplaceError `InvalidOption` for a name that no engine has.
 */
export function engineNamed(name: EngineName): E.Either<LaplaceError, LinalgEngine> {
  switch (argument('engineNamed', 'name', EngineNameCodec, name)) {
    case 'tensorflow':
      return F.pipe(tensorflowEngine(), E.fromOption(unavailable));
    case 'wasm':
      return wasmEngine();
    case 'javascript':
      return E.right(javascriptEngine);
  }
}

/**
 * The engine that was asked for. TensorFlow's comes in the form that decomposes several matrices at a time. If WebAssembly is
 * needed, it is compiled without blocking this thread.
 */
export function chosenEngine(choice?: EngineChoice): TE.TaskEither<LaplaceError, LinalgEngine | AsyncLinalgEngine> {
  if (typeof choice === 'object') return async () => E.right(choice);
  return async () => {
    const tensorflow = choice === undefined || choice === 'tensorflow' ? batchingTensorflowEngine() : O.none;
    if (O.isSome(tensorflow)) return E.right(tensorflow.value);
    if (choice === 'wasm' || choice === undefined) await prepareWasm();
    return choice === undefined ? E.right(defaultEngine()) : engineNamed(choice);
  };
}

const unavailable = (): LaplaceError =>
  laplaceError('Backend', {
    what: "The engine 'tensorflow' needs TensorFlow's own kernels",
    expected: 'the backend of tfjs-node or tfjs-node-gpu',
    remedy: "Load it and call tf.setBackend('tensorflow'), or name another engine: 'wasm', or 'javascript'.",
  });
