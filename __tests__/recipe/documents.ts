/** Random recipes as files hold them: values of JSON. */
import type fc from 'fast-check';
import { isData } from '../../src/codec/index.js';
import { recipeData, recipeInput } from '../codec/arbitraries.js';
import type { Json } from './mutations.js';

/** By way of text. Parts that fast-check would clone for each use, as it does functions, are then gone: it loses others when it clones them. */
const asJson = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Json> =>
  values.map((value) => JSON.stringify(value)).map((text): Json => JSON.parse(text));

/** Whole recipes. */
export const canonical = asJson(recipeData);

/** With shorthand, and without some of what has a default. */
export const written = asJson(recipeInput.filter(isData));
