/** Reads recipes from files. */
import { decodeRecipe, orThrow, type Recipe } from 'tfjs-laplace';
import { isRecord, laplaceError } from 'tfjs-laplace/extend';
import { readBytes } from 'tfjs-laplace/plugins/storage';

/** The JSON in a file. Rejects with `Storage` and `InvalidFile`. */
export async function jsonIn(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path.replace(/^file:\/\//, '')));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw laplaceError('InvalidFile', { what: `${path} is no JSON`, found: (cause as Error).message, cause });
  }
}

/** The recipe in a file: a recipe, or the report of a run, which has one. Rejects with `InvalidRecipe` too. */
export async function recipeIn(path: string): Promise<Recipe> {
  const json = await jsonIn(path);
  return orThrow(decodeRecipe(isReport(json) ? json.recipe : json));
}

const isReport = (json: unknown): json is Readonly<Record<string, unknown>> =>
  isRecord(json) && json.format === 'tfjs-laplace report';
