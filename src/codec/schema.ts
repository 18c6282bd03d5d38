/**
 * JSON Schemas (draft 2020-12) of what codecs allow. A codec tells its schema in terms of the schemas of its parts, so a codec that is made of
 * others has one for free. `document.ts` puts all of them together.
 *
 * Law: a value of JSON fits the schema of a codec exactly if the codec decodes it.
 */

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
