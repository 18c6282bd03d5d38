/**
 * Which engine does the linear algebra: TensorFlow's kernels where the current tfjs backend is TensorFlow itself, plain JavaScript
 * elsewhere. Asked anew each time, as backends can be changed. The engine that was chosen says which it is: `name`.
 */
import { either as E, function as F, option as O } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { LinalgEngine } from './engine.js';
import { javascriptEngine } from './javascript.js';
import { tensorflowEngine } from './tensorflow.js';

/**
 * The fastest engine that the current tfjs backend allows.
 *
 * @example
 * ```ts
 * import { defaultEngine } from 'tfjs-laplace';
 *
 * defaultEngine().name; // 'tensorflow' with tfjs-node, else 'javascript'
 * ```
 */
export const defaultEngine = (): LinalgEngine =>
  F.pipe(
    tensorflowEngine(),
    O.getOrElse(() => javascriptEngine),
  );

/** The engine of that name, or `Backend` where it cannot run. */
export const engineNamed = (name: LinalgEngine['name']): E.Either<LaplaceError, LinalgEngine> =>
  name === 'javascript' ? E.right(javascriptEngine) : F.pipe(tensorflowEngine(), E.fromOption(unavailable));

const unavailable = (): LaplaceError =>
  laplaceError('Backend', {
    what: "The engine 'tensorflow' needs TensorFlow's own kernels",
    expected: 'the backend of tfjs-node or tfjs-node-gpu',
    remedy: "Load it and call tf.setBackend('tensorflow'), or name the engine 'javascript'.",
  });
