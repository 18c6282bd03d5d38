/**
 * What codecs allow, as JSON Schemas (draft 2020-12). A codec tells its schema in terms of the schemas of its parts, so a codec that is made
 * of others has one for free. `document.ts` puts the schemas of all parts together.
 *
 * Law: a JSON value fits the schema of a codec exactly if the codec decodes it.
 */
import { either as E } from 'fp-ts';
import type { AnyCodec } from './codec.js';

/** The keywords that the codecs use. */
export type SchemaObject = Readonly<{
  $schema?: string;
  $id?: string;
  $ref?: string;
  $defs?: Readonly<Record<string, JsonSchema>>;
  title?: string;
  description?: string;
  default?: unknown;
  anyOf?: ReadonlyArray<JsonSchema>;
  const?: unknown;
  enum?: ReadonlyArray<unknown>;
  type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  minLength?: number;
  items?: JsonSchema;
  minItems?: number;
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: ReadonlyArray<string>;
  additionalProperties?: JsonSchema;
  minProperties?: number;
}>;

/** A JSON Schema. `false` allows nothing: it is the schema of functions, and of values that need one. */
export type JsonSchema = SchemaObject | false;

/** How a codec refers to the schema of one of its parts. */
export type Of = (part: AnyCodec) => JsonSchema;

/** The schema of a codec, in terms of the schemas of its parts. */
export type SchemaFrom = (of: Of) => JsonSchema;

/** One of these strings. */
export const stringsSchema = (allowed: ReadonlyArray<string>): SchemaObject =>
  allowed.length === 1 ? { const: allowed[0] } : { enum: allowed };

/** What one of the schemas allows. `words` stand beside a choice between several. */
export function choiceSchema(words: SchemaObject, schemas: ReadonlyArray<JsonSchema>): JsonSchema {
  const [first = false, ...others] = schemas.filter((schema) => schema !== false);
  return others.length === 0 ? first : { ...words, anyOf: [first, ...others] };
}

/** Words beside the schema of a part, such as its default. */
export const annotated = (schema: JsonSchema, words: SchemaObject): JsonSchema => schema && { ...schema, ...words };

/** An object of exactly these fields. A field that can only hold code is left out, if it may be missing. */
export function objectSchema(title: string, fields: ReadonlyArray<readonly [string, AnyCodec]>): SchemaFrom {
  return (of) => {
    const needed = fields.filter(([, field]) => !decodes(field, undefined)).map(([key]) => key);
    const parts = fields.map(([key, field]) => [key, of(field)] as const);
    if (parts.some(([key, schema]) => schema === false && needed.includes(key))) return false;
    const properties = Object.fromEntries(parts.filter(([, schema]) => schema !== false));
    return { title, type: 'object', properties, required: needed, additionalProperties: false };
  };
}

/** One of several variants, or the bare tag of a variant that needs no other field. */
export function unionSchema(title: string, variants: ReadonlyArray<AnyCodec & { readonly tag: string }>): SchemaFrom {
  return (of) => {
    const bare = variants.filter((one) => decodes(one, { _tag: one.tag })).map(({ tag }) => tag);
    return choiceSchema({ title }, [bare.length > 0 && stringsSchema(bare), ...variants.map(of)]);
  };
}

const decodes = (codec: AnyCodec, value: unknown): boolean => E.isRight(codec.decode(value));
