/**
 * The arguments of functions, decoded: every key is known, and every value is checked. `struct` says what an object of options may hold.
 * A recipe serves as options, or as one of the choices that it has.
 */
import { type Codec, isRecord } from './codec.js';
import { accepted } from './decode.js';
import { struct } from './struct.js';

/** The choices of a recipe (`recipe/codec.ts` decodes them). */
export const RECIPE_KEYS = [
  'likelihood',
  'curvature',
  'epochs',
  'prior',
  'damping',
  'layers',
  'predictive',
  'tuning',
  'calibration',
  'report',
  'output',
] as const;

/** One of the choices of a recipe. */
export type RecipeKey = (typeof RECIPE_KEYS)[number];

/** A value of the DSL as it may be written, or a recipe that has it among its choices. */
export type Choice<K extends RecipeKey, A, I> = I | { readonly [key in K]: A };

/** Whether an object has every choice of a recipe. Then it is one, perhaps with more options beside them. */
const holdsRecipe = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isRecord(value) && RECIPE_KEYS.every((key) => Object.hasOwn(value, key));

/**
 * The decoded options of a function. The choices of a recipe that the function does not take are left out; any other key that it does not
 * know is refused.
 *
 * @param what the name of the function, for the error
 * @returns the options, or `InvalidOption` thrown, which names the fields.
 */
export function optionsOf<A, I>(what: string, codec: Codec<A, I>, given: unknown): A {
  // A recipe says nothing to a function that takes none of its choices.
  const serves = RECIPE_KEYS.some((key) => codec.fields.includes(key));
  if (!serves || !holdsRecipe(given)) return accepted(what, codec, given);
  const foreign = RECIPE_KEYS.filter((key) => !codec.fields.includes(key)) as ReadonlyArray<string>;
  return accepted(what, codec, Object.fromEntries(Object.entries(given).filter(([key]) => !foreign.includes(key))));
}

/**
 * The decoded value of an argument, whose name stands in the error.
 *
 * @returns the value, or `InvalidOption` thrown.
 */
export function argument<A, I>(what: string, name: string, codec: Codec<A, I>, given: unknown): A {
  const decoded: Readonly<Record<string, unknown>> = accepted(what, struct('arguments', { [name]: codec }), { [name]: given });
  return decoded[name] as A;
}

/** The decoded choice of an argument that is the choice itself or a recipe. */
export const choiceOf = <A, I>(what: string, key: RecipeKey, codec: Codec<A, I>, given: unknown): A =>
  argument(what, key, codec, isRecord(given) && !('_tag' in given) && key in given ? given[key] : given);
