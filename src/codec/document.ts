/** One JSON Schema for a codec and all its parts. A part with a title that is met several times is written once, in `$defs`. */
import type { AnyCodec, Of } from './codec.js';
import type { JsonSchema } from './schema.js';

/** The schema of a codec, which stands for itself. */
export function schemaDocument(codec: AnyCodec): JsonSchema {
  const repeated = repeatedParts(codec);
  const definitions = new Map<AnyCodec, JsonSchema>();
  const of: Of = (part) => {
    if (!repeated.has(part)) return schemaOf(part, of);
    if (!definitions.has(part)) definitions.set(part, schemaOf(part, of));
    return definitions.get(part) !== false && { $ref: `#/$defs/${keyOf(part)}` };
  };
  const root = of(codec);
  const $defs = Object.fromEntries(
    Array.from(definitions, ([part, schema]) => [keyOf(part), schema] as const).filter(([, schema]) => schema !== false),
  );
  return root && { ...root, $defs };
}

/** The parts with a title that are met more than once. */
function repeatedParts(codec: AnyCodec): ReadonlySet<AnyCodec> {
  const met = new Set<AnyCodec>();
  const again = new Set<AnyCodec>();
  const visit: Of = (part) => {
    if (met.has(part)) again.add(part);
    else schemaOf(part, visit);
    if (titleOf(part) !== '') met.add(part);
    return {};
  };
  visit(codec);
  return again;
}

const schemaOf = ({ name, schema }: AnyCodec, of: Of): JsonSchema => {
  if (schema === undefined) throw new Error(`The codec of ${name} has no JSON Schema.`);
  return schema(of);
};

/** The title of a part itself; '' if it has none. */
function titleOf(part: AnyCodec): string {
  const own = schemaOf(part, () => ({}));
  return own === false ? '' : (own.title ?? '');
}

/** The title as a key, without its article: `FisherMatrix` for 'a Fisher matrix'. */
const keyOf = (part: AnyCodec): string =>
  titleOf(part)
    .replace(/^an? /, '')
    .replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase());
