/** Writes the JSON Schema of a recipe into the built package, as the library makes it. */
import { writeFileSync } from 'node:fs';
import { recipeSchema } from 'tfjs-laplace';

writeFileSync(new URL('../dist/recipe.schema.json', import.meta.url), `${JSON.stringify(recipeSchema(), null, 2)}\n`);
