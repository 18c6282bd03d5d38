/** From error values to exceptions, at the rim: inside `tf.tidy`, and in promises and streams, which turn them into rejections. */
import { either as E } from 'fp-ts';
import type { LaplaceError } from './errors.js';

/** The value, or its error thrown. */
export function orThrow<A>(value: E.Either<LaplaceError, A>): A {
  if (E.isLeft(value)) throw value.left;
  return value.right;
}
