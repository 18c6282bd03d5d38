/** Decodes the parts of a value, each at its key. Gives all parts decoded, or the problems of all parts together. */
import { either as E } from 'fp-ts';
import * as t from 'io-ts';

/** A key, the codec of the value there, and the value. */
export type Part<A> = readonly [key: string, codec: t.Type<A, A, unknown>, value: unknown];

/**
 * Decodes every part.
 *
 * @param others problems that are known beforehand; they come after the problems of the parts
 */
export function collect<A>(
  parts: ReadonlyArray<Part<A>>,
  context: t.Context,
  others: t.Errors = [],
): t.Validation<Array<readonly [string, A]>> {
  const decoded: Array<readonly [string, A]> = [];
  const errors: t.Errors = [];
  for (const [key, codec, value] of parts) {
    const result = codec.validate(value, t.appendContext(context, key, codec, value));
    if (E.isRight(result)) decoded.push([key, result.right]);
    // One by one: there may be more than a call takes arguments.
    else for (const error of result.left) errors.push(error);
  }
  for (const error of others) errors.push(error);
  return errors.length > 0 ? t.failures(errors) : t.success(decoded);
}

/** The object of decoded parts. */
export const toObject = <A>(decoded: ReadonlyArray<readonly [string, A]>): Readonly<Record<string, A>> =>
  Object.freeze(Object.fromEntries(decoded));
