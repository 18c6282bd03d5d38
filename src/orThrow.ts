/**
 * Turns error values into exceptions. It is used at the rim: inside `tf.tidy`, and in promises and streams, which turn an
 * exception into a rejection.
 */
import { either as E } from 'fp-ts';
import type { LaplaceError } from './errors.js';

/**
 * Returns the value of a result, or throws its error. Code with exceptions uses it on functions that return an `Either`.
 *
 * @throws LaplaceError the error of a `Left`.
 *
 * @example
 * ```ts
 * import { decodeRecipe, orThrow } from 'tfjs-laplace';
 *
 * orThrow(decodeRecipe({ likelihood: 'categorical', prior: 10 })).prior; // => { _tag: 'isotropic', precision: 10 }
 * ```
 */
export function orThrow<A>(value: E.Either<LaplaceError, A>): A {
  if (E.isLeft(value)) throw value.left;
  return value.right;
}
