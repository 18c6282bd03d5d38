/**
 * Turns error values into exceptions. It is used at the rim: inside `tf.tidy`, and in promises and streams, which turn an
 * exception into a rejection.
 */
import { either as E } from 'fp-ts';
import { isLaplaceError, type LaplaceError, laplaceError } from './errors.js';

/**
 * Returns the value of a result, or throws its error. Code with exceptions uses it on functions that return an `Either`.
 *
 * @throws LaplaceError the error of a `Left`; `InvalidInput` for what is no `Either`.
 *
 * @example
 * ```ts
 * import { decodeRecipe, orThrow } from 'tfjs-laplace';
 *
 * orThrow(decodeRecipe({ likelihood: 'categorical', prior: 10 })).prior; // => { _tag: 'isotropic', precision: 10 }
 * ```
 */
export function orThrow<A>(value: E.Either<LaplaceError, A>): A {
  const { _tag: tag } = (value ?? {}) as { readonly _tag?: unknown };
  if (tag !== 'Left' && tag !== 'Right') throw notAnEither(value);
  if (E.isLeft(value)) throw value.left;
  return value.right;
}

/** The way back: the result of work that throws `LaplaceError`. Whatever else it throws is a mistake of ours, and is thrown on. */
export const attempted = <A>(work: () => A): E.Either<LaplaceError, A> =>
  E.tryCatch(work, (error) => {
    if (isLaplaceError(error)) return error;
    throw error;
  });

const notAnEither = (value: unknown): LaplaceError =>
  laplaceError('InvalidInput', {
    what: 'orThrow: there is nothing to unwrap',
    field: 'value',
    found: typeof value === 'function' ? 'a function' : `a value of type ${Object.prototype.toString.call(value).slice(8, -1)}`,
    expected: 'an Either',
    remedy: typeof value === 'function' ? 'Call it with its data first.' : 'Use the value as it is.',
  });
