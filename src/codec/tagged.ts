/**
 * Plain tagged values. A union looks at `_tag` and decodes with that variant alone, so errors are about the variant that was
 * meant. A bare tag stands for the variant with all its defaults: `'linearised'` for `{ _tag: 'linearised', … }`.
 */
import * as t from 'io-ts';
import { type AnyCodec, type Codec, codec, decodes, type InputOf, isRecord, type SchemaFrom } from './codec.js';
import { literals } from './scalars.js';
import { choiceSchema, stringsSchema } from './schema.js';
import { type Fields, type FieldsInput, type FieldsValue, type Flat, struct } from './struct.js';
import { alternatives, suggestion } from './words.js';

/** One variant of a union. */
export interface Variant<T extends string, A, I> extends Codec<A, I> {
  readonly tag: T;
}

type AnyVariant = AnyCodec & { readonly tag: string };

/** What a variant's constructor takes: its input without the tag. */
export type Options<V extends AnyVariant> = Flat<Omit<InputOf<V>, '_tag'>>;

/** The tags of the variants that need no other field. */
type BareTag<V extends AnyVariant> = V extends AnyVariant
  ? { readonly _tag: V['tag'] } extends InputOf<V>
    ? V['tag']
    : never
  : never;

/** An object with a `_tag` and exactly these fields. */
export function variant<const T extends string, F extends Fields>(
  tag: T,
  fields: F,
): Variant<T, Flat<{ readonly _tag: T } & FieldsValue<F>>, Flat<{ readonly _tag: T } & FieldsInput<F>>> {
  // biome-ignore lint/suspicious/noExplicitAny: the same type, which TypeScript cannot see through a spread of generic fields.
  const body: Codec<any, any> = struct(`a value tagged '${tag}'`, { _tag: literals(tag), ...fields });
  return Object.assign(body, { tag });
}

/** One of several variants, or the bare tag of a variant that has a default for every field. */
export function taggedUnion<const V extends ReadonlyArray<AnyVariant>>(
  name: string,
  ...variants: V
): Codec<t.TypeOf<V[number]>, InputOf<V[number]> | BareTag<V[number]>> {
  const tags = variants.map(({ tag }) => tag);
  const expected = `${name}: ${alternatives(tags)}`;
  const unknownTag = (tag: unknown): string => alternatives(tags) + (typeof tag === 'string' ? suggestion(tag, tags) : '');

  return codec(
    expected,
    (value): value is t.TypeOf<V[number]> => variants.some((one) => one.is(value)),
    (value, context) => {
      const given = typeof value === 'string' ? { _tag: value } : value;
      if (!isRecord(given)) return t.failure(value, context, expected);
      const found = variants.find(({ tag }) => tag === given._tag);
      if (found !== undefined) return found.validate(given, context);
      if (typeof value === 'string') return t.failure(value, context, expected + suggestion(value, tags));
      return t.failure(given._tag, t.appendContext(context, '_tag', t.string, given._tag), unknownTag(given._tag));
    },
    { fields: variants.flatMap(({ fields }) => fields), schema: unionSchema(name, variants) },
  );
}

/** One of the variants, or the bare tag of a variant that needs no other field. */
function unionSchema(title: string, variants: ReadonlyArray<AnyVariant>): SchemaFrom {
  return (of) => {
    const bare = variants.filter((one) => decodes(one, { _tag: one.tag })).map(({ tag }) => tag);
    return choiceSchema({ title }, [bare.length > 0 && stringsSchema(bare), ...variants.map(of)]);
  };
}
