/** Recipes with mistakes: the codec, the JSON Schema and the error values agree about them. */
import { isDeepStrictEqual } from 'node:util';
import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { either as E } from 'fp-ts';
import { composeRecipe, decodeRecipe, encodeRecipe, isLaplaceError, type Recipe, recipeSchema } from 'tfjs-laplace';
import { partialRecipe } from '../../__tests__/codec/arbitraries.js';
import { canonical, written } from '../../__tests__/recipe/documents.js';
import { type Json, mutated } from '../../__tests__/recipe/mutations.js';
import { isData } from '../../src/codec/index.js';
import { RecipeCodec } from '../../src/recipe/codec.js';
import { claim } from './kind.js';
import { kindOf } from './kindOf.js';

const schema: AnySchema = recipeSchema();
const fits = new Ajv2020({ strict: true }).compile(schema);

/** What is read: a value of JSON, or parts that are put together. */
type Given = { readonly read: Json } | { readonly parts: ReadonlyArray<unknown> };

const readings = mutated(fc.oneof(canonical, written)).map((read) => ({ read }));
const anyPart = fc.oneof(
  { weight: 4, arbitrary: partialRecipe as fc.Arbitrary<unknown> },
  { weight: 2, arbitrary: mutated(written) },
  { weight: 1, arbitrary: fc.anything() },
);
const compositions = fc.array(anyPart, { maxLength: 4 }).map((parts) => ({ parts }));

function check(given: Given): void {
  if ('parts' in given) checkParts(given.parts);
  else checkRead(given.read);
}

function checkRead(value: Json): void {
  const isRight = E.isRight(RecipeCodec.decode(value));
  claim(fits(value) === isRight, () => `the schema ${isRight ? 'refuses what the codec takes' : 'takes what the codec refuses'}`);
  const found = decodeRecipe(value);
  if (E.isRight(found)) checkRecipe(found.right);
  else checkRefusal(found.left);
}

function checkParts(parts: ReadonlyArray<unknown>): void {
  let made: Recipe;
  try {
    made = (composeRecipe as (...all: ReadonlyArray<unknown>) => Recipe)(...parts);
  } catch (error) {
    checkRefusal(error);
    return;
  }
  checkRecipe(made);
}

/** A refusal says what is wrong, and where. */
function checkRefusal(error: unknown): void {
  if (!isLaplaceError(error)) throw error;
  claim(error.kind === 'InvalidRecipe' && error.issues.length > 0, () => `a refusal that tells no problem: ${error.message}`);
}

/** A recipe reads as itself, also when it is written as data. */
function checkRecipe(made: Recipe): void {
  claim(isDeepStrictEqual(decodeRecipe(made), E.right(made)), () => 'a recipe does not read as itself');
  const data = encodeRecipe(made);
  if (E.isLeft(data)) {
    claim(!isData(made), () => `data cannot be written: ${data.left.message}`);
    return;
  }
  const read = decodeRecipe(JSON.parse(JSON.stringify(data.right)));
  claim(isDeepStrictEqual(read, E.right(made)), () => 'a recipe is another one after JSON');
  claim(fits(JSON.parse(JSON.stringify(data.right))), () => 'the schema refuses a recipe that was written');
}

/** Recipes with mistakes. */
export const recipes = kindOf<Given>({
  name: 'recipes',
  about: 'a recipe with mistakes, or parts of recipes: decodeRecipe, recipeSchema and composeRecipe',
  share: 48,
  cases: fc.oneof({ weight: 3, arbitrary: readings }, { weight: 1, arbitrary: compositions }),
  check,
  show: fc.stringify,
});
