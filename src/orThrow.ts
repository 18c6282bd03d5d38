/**
 * Turns error values into exceptions. It is used at the rim: inside `tf.tidy`, and in promises and streams, which turn an
 * exception into a rejection.
 */
import { either as E } from 'fp-ts';
import type { LaplaceError } from './errors.js';

/** Returns the value, or throws the error. */
export function orThrow<A>(value: E.Either<LaplaceError, A>): A {
  if (E.isLeft(value)) throw value.left;
  return value.right;
}
