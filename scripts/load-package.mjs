/**
 * Loads every entry of the built package by its public name, with `import` and with `require`, and compares the exported names. A
 * type check alone would not show that an entry fails to load. The JSON Schema loads too, and is that of this build.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';

const { name, exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const require = createRequire(import.meta.url);

for (const path of Object.keys(exports).filter((entry) => !entry.endsWith('.json'))) {
  const entry = name + path.slice(1);
  const imported = Object.keys(await import(entry)).sort();
  const required = Object.keys(require(entry)).sort();
  if (imported.join() !== required.join()) throw new Error(`${entry}: import gives ${imported}, but require gives ${required}`);
  console.log(`${entry}: ${imported.length} names`);
}

const { recipeSchema } = require(name);
const schema = `${name}/recipe.schema.json`;
if (!isDeepStrictEqual(require(schema), recipeSchema())) throw new Error(`${schema} is not what recipeSchema() gives`);
console.log(`${schema}: ${Object.keys(recipeSchema().properties).length} keys`);
