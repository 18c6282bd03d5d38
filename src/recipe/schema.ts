/** The JSON Schema of a recipe, for editors and other programs. It comes from the codecs, so it says what they allow. */
import { type JsonSchema, type SchemaObject, schemaDocument } from '../codec/index.js';
import { RecipeCodec } from './codec.js';

/** Where the schema can be loaded from. */
const ADDRESS = 'https://unpkg.com/tfjs-laplace/dist/recipe.schema.json';

/**
 * The JSON Schema (draft 2020-12) of a recipe as JSON: of what `decodeRecipe` reads. Choices that hold code are left out. The package has it
 * as a file too, `tfjs-laplace/recipe.schema.json`. Name it in a `recipe.json` under `$schema`, and an editor completes and checks it.
 *
 * A schema sees one choice at a time. `decodeRecipe` has the last word, and its errors say more.
 *
 * @example
 * ```ts
 * import { recipeSchema } from 'tfjs-laplace';
 *
 * const { required, properties = {} } = recipeSchema();
 * required; // => ['likelihood']
 * Object.keys(properties).slice(0, 3); // => ['$schema', 'likelihood', 'curvature']
 * ```
 */
export function recipeSchema(): SchemaObject {
  // It is an object: every choice of a recipe can be data.
  const { properties, $defs, ...recipe } = schemaDocument(RecipeCodec) as SchemaObject;
  const $schema: JsonSchema = { description: 'where the JSON Schema of a recipe is', type: 'string' };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: ADDRESS,
    ...recipe,
    properties: { $schema, ...properties },
    ...($defs && { $defs }),
  };
}
