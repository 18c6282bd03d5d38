/**
 * A codec is an io-ts type whose name says what it allows ('a finite number > 0'). Its TypeScript type also says what a caller
 * may write for the value: defaults may be left out, and shorthand is allowed. Decoding gives the canonical value, new and
 * frozen.
 *
 * Laws, for every codec here: `is` holds for what `decode` gives; decoding is idempotent; `decode ∘ encode = id`.
 */
import { either as E } from 'fp-ts';
import * as t from 'io-ts';
import { annotated, choiceSchema, type JsonSchema } from './schema.js';

/** Decodes unknown input to `A`; `I` is what may be written for it. Values are plain data, so encoding changes nothing. */
export interface Codec<A, I = A> extends t.Type<A, A, unknown> {
  /** This field exists in the type only. */
  readonly _Input?: I;
  /** The names of the fields that a value can have, without the tag. Empty if values are not objects with known fields. */
  readonly fields: ReadonlyArray<string>;
  /** The JSON values that may be written. It is absent if no schema is needed, as for tensors and other values in memory. */
  readonly schema?: SchemaFrom | undefined;
}

/** Any codec. */
// biome-ignore lint/suspicious/noExplicitAny: as io-ts's own `t.Any`; a codec is invariant in its value.
export type AnyCodec = Codec<any, any>;

/** How a codec refers to the schema of one of its parts. */
export type Of = (part: AnyCodec) => JsonSchema;

/** The schema of a codec, in terms of the schemas of its parts. */
export type SchemaFrom = (of: Of) => JsonSchema;

/** What may be written where this codec reads. */
export type InputOf<C extends AnyCodec> = C extends Codec<infer _A, infer I> ? I : never;

/** Makes a codec of its parts. It encodes a value to the value itself. */
export const codec = <A, I = A>(
  name: string,
  is: t.Is<A>,
  validate: t.Validate<unknown, A>,
  { fields = [], schema }: Partial<Pick<Codec<A>, 'fields' | 'schema'>> = {},
): Codec<A, I> => Object.assign(new t.Type<A, A, unknown>(name, is, validate, t.identity), { fields, schema });

/** Values that pass a test, and their schema if one is needed. */
export const refined = <A>(name: string, is: (value: unknown) => value is A, schema?: JsonSchema): Codec<A> =>
  codec<A>(name, is, (value, context) => (is(value) ? t.success(value) : t.failure(value, context, name)), {
    schema: schema === undefined ? undefined : () => schema && { description: name, ...schema },
  });

/**
 * Values of the first codec or of the second. If a value is `meant` for the second codec, only the second codec's
 * problems are reported.
 */
export function anyOf<A, I, B, J>(
  first: Codec<A, I>,
  second: Codec<B, J>,
  meant: (value: unknown) => boolean,
): Codec<A | B, I | J> {
  const name = `${first.name}, or ${second.name}`;
  return codec<A | B, I | J>(
    name,
    (value): value is A | B => first.is(value) || second.is(value),
    (value, context) => {
      if (meant(value)) return second.validate(value, context);
      return first.is(value) ? first.validate(value, context) : t.failure(value, context, name);
    },
    { schema: (of) => choiceSchema({ description: name }, [of(first), of(second)]) },
  );
}

/** The same codec, for a field that gets a default if it is left out. */
export const defaulted = <A, I>(inner: Codec<A, I>, fallback: I): Codec<A, I | undefined> =>
  codec(inner.name, inner.is, (value, context) => inner.validate(value === undefined ? fallback : value, context), {
    fields: inner.fields,
    schema: (of) => annotated(of(inner), { default: fallback }),
  });

/** The same codec, for a field that may be missing. A missing field stays missing. */
export const optional = <A, I>(inner: Codec<A, I>): Codec<A | undefined, I | undefined> =>
  codec<A | undefined, I | undefined>(
    inner.name,
    (value): value is A | undefined => value === undefined || inner.is(value),
    (value, context) => (value === undefined ? t.success(undefined) : inner.validate(value, context)),
    { fields: inner.fields, schema: (of) => of(inner) },
  );

/** Whether a codec decodes a value. */
export const decodes = (codec: AnyCodec, value: unknown): boolean => E.isRight(codec.decode(value));

/** Whether a value is an object, and not an array, a map or another built-in collection. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === '[object Object]';

/** Whether a value is an array or a typed array. */
export const isArrayLike = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
