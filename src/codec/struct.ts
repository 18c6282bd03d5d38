/** Objects with known keys. Unknown keys are refused, so that a misspelt option never passes for its default. */
import { either as E, function as F } from 'fp-ts';
import * as t from 'io-ts';
import { type AnyCodec, type Codec, codec, decodes, type InputOf, isRecord, type SchemaFrom } from './codec.js';
import { collect, toObject } from './collect.js';
import { alternatives, describeKnown, suggestion } from './words.js';

/** The codecs of an object's fields. */
export type Fields = Readonly<Record<string, AnyCodec>>;

/** Turns an intersection into one object type. The detour through `infer` makes editors show the fields instead of this alias. */
export type Flat<T> = T extends infer O ? { readonly [K in keyof O]: O[K] } : never;

/** The value of an object with these fields. Fields with an `optional` codec may be missing. */
export type FieldsValue<F extends Fields> = Flat<
  { readonly [K in keyof F as undefined extends t.TypeOf<F[K]> ? never : K]: t.TypeOf<F[K]> } & {
    readonly [K in keyof F as undefined extends t.TypeOf<F[K]> ? K : never]?: Exclude<t.TypeOf<F[K]>, undefined>;
  }
>;

/** An object as it may be written: fields with a default may be left out. */
export type FieldsInput<F extends Fields> = Flat<
  { readonly [K in keyof F as undefined extends InputOf<F[K]> ? never : K]: InputOf<F[K]> } & {
    readonly [K in keyof F as undefined extends InputOf<F[K]> ? K : never]?: InputOf<F[K]>;
  }
>;

/** An object of exactly these fields; decoding freezes it. */
export function struct<F extends Fields>(name: string, fields: F): Codec<FieldsValue<F>, FieldsInput<F>> {
  type A = FieldsValue<F>;
  const keys = Object.keys(fields);
  const options = keys.filter((key) => key !== '_tag');
  const entries = Object.entries<AnyCodec>(fields);
  /** Whether an object is known by another name (a tensor, a posterior). Then it is reported as a whole, and not key by key. */
  const isForeign = (value: Readonly<Record<string, unknown>>): boolean =>
    !Object.hasOwn(fields, '_tag') && describeKnown(value) !== undefined;
  const isKnown = (key: string): boolean => Object.hasOwn(fields, key);
  const refusal = (key: string): string => {
    const homes = entries.filter(([, field]) => field.fields.includes(key)).map(([name]) => name);
    const hint = homes.length > 0 ? ` (it belongs in ${alternatives(homes)})` : suggestion(key, keys);
    return `no such key${hint}; allowed: ${options.join(', ') || 'none'}`;
  };

  const is = (value: unknown): value is A =>
    isRecord(value) && Object.keys(value).every(isKnown) && entries.every(([key, field]) => field.is(value[key]));

  return codec<A, FieldsInput<F>>(
    name,
    is,
    (value, context) => {
      if (!isRecord(value) || isForeign(value)) return t.failure(value, context, name);
      const parts = entries.map(([key, field]) => [key, field, value[key]] as const);
      const unknown = Object.keys(value).filter((key) => !isKnown(key));
      const refused = unknown.map((key) => ({
        value: value[key],
        context: t.appendContext(context, key, t.never, value[key]),
        message: refusal(key),
      }));
      return F.pipe(
        collect(parts, context, refused),
        E.map((decoded) => toObject(decoded.filter(([, part]) => part !== undefined)) as A),
      );
    },
    { fields: options, schema: objectSchema(name, entries) },
  );
}

/** An object of these fields. A field that can only hold code is left out, if it may be missing. */
function objectSchema(title: string, fields: ReadonlyArray<readonly [string, AnyCodec]>): SchemaFrom {
  return (of) => {
    const required = fields.filter(([, field]) => !decodes(field, undefined)).map(([key]) => key);
    const parts = fields.map(([key, field]) => [key, of(field)] as const);
    if (parts.some(([key, schema]) => schema === false && required.includes(key))) return false;
    const properties = Object.fromEntries(parts.filter(([, schema]) => schema !== false));
    return { title, type: 'object', properties, required, additionalProperties: false };
  };
}
