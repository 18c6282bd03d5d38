/** The JSON Schema of a recipe allows what the codec decodes, and nothing else. */
import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { either as E } from 'fp-ts';
import { decodeRecipe, recipe, recipeSchema } from 'tfjs-laplace';
import { RECIPE_KEYS } from '../../src/codec/options.js';
import { RecipeCodec } from '../../src/recipe/codec.js';
import { canonical, written } from './documents.js';
import { atLimits, type Json, mutated } from './mutations.js';

const schema: AnySchema = recipeSchema();
const ajv = new Ajv2020({ strict: true });
const fits = ajv.compile(schema);
const decodes = (value: unknown): boolean => E.isRight(RecipeCodec.decode(value));

const throughJson = (value: unknown): Json => JSON.parse(JSON.stringify(value));

/** Texts of files at the edge of what is allowed. */
const EDGES = [
  'null',
  '3',
  '"categorical"',
  '[]',
  '{}',
  '{ "likelihood": null }',
  '{ "likelihood": "perStep" }',
  '{ "likelihood": "gaussian" }',
  '{ "likelihood": { "noiseVariance": 1 } }',
  '{ "likelihood": ["gaussian"] }',
  '{ "likelihood": { "_tag": "custom", "name": "own" } }',
  '{ "likelihood": "poisson", "x": 1 }',
  '{ "likelihood": "poisson", "__proto__": 1 }',
  '{ "likelihood": "poisson", "constructor": 1 }',
  '{ "likelihood": "poisson", "prior": 0 }',
  '{ "likelihood": "poisson", "prior": 5e-324 }',
  '{ "likelihood": "poisson", "prior": 1e999 }',
  '{ "likelihood": "poisson", "prior": -0 }',
  '{ "likelihood": "poisson", "prior": {} }',
  '{ "likelihood": "poisson", "prior": { "a": 1, "b": 0 } }',
  '{ "likelihood": "poisson", "prior": { "precision": 1 } }',
  '{ "likelihood": "poisson", "prior": { "__proto__": 1 } }',
  '{ "likelihood": "poisson", "prior": "perLayer" }',
  '{ "likelihood": "poisson", "prior": { "precisions": { "a": 1 } } }',
  '{ "likelihood": "poisson", "layers": "first" }',
  '{ "likelihood": "poisson", "layers": [""] }',
  '{ "likelihood": "poisson", "layers": [] }',
  '{ "likelihood": "poisson", "epochs": "epochsWhere" }',
  '{ "likelihood": "poisson", "epochs": { "_tag": "finalEpochs", "count": 2.0 } }',
  '{ "likelihood": { "_tag": "perOutput", "outputs": { "toString": "poisson" } } }',
  '{ "likelihood": { "_tag": "perOutput", "outputs": { "a": { "_tag": "perOutput", "outputs": { "a": "poisson" } } } } }',
];

it('is a JSON Schema, and is JSON itself', () => {
  expect(ajv.validateSchema(schema)).toBe(true);
  expect(throughJson(schema)).toEqual(schema);
});

it('writes what is used several times once', () => {
  expect(Object.keys(recipeSchema().$defs ?? {})).toEqual(expect.arrayContaining(['FisherMatrix', 'selectionOfLayers']));
});

it('tells the defaults', () => {
  const { properties = {} } = recipeSchema();
  const defaults = Object.entries(properties).flatMap(([key, part]) =>
    part !== false && 'default' in part ? [[key, part.default] as const] : [],
  );
  expect(defaults.map(([key]) => key)).toEqual(RECIPE_KEYS.filter((key) => key !== 'likelihood'));
  expect(recipe({ ...Object.fromEntries(defaults), likelihood: 'poisson' })).toEqual(recipe({ likelihood: 'poisson' }));
});

it.each([
  ['whole recipes', canonical],
  ['recipes as they may be written', written],
])('allows %s', (_, recipes) => {
  fc.assert(
    fc.property(recipes, (value) => {
      expect([fits(value), decodes(value)]).toEqual([true, true]);
    }),
    { numRuns: 500 },
  );
});

it('agrees with the codec about recipes with mistakes', () => {
  let allowed = 0;
  fc.assert(
    fc.property(mutated(fc.oneof(canonical, written)), (value) => {
      const isRight = decodes(value);
      if (isRight) allowed += 1;
      expect(fits(value)).toBe(isRight);
    }),
    { numRuns: 4000 },
  );
  // Some mistakes are none: a field with a default may be missing.
  expect(allowed).toBeGreaterThan(200);
  expect(allowed).toBeLessThan(2000);
});

it('agrees with the codec at the limits of every range', () => {
  fc.assert(
    fc.property(canonical, (value) => {
      const found = atLimits(value).filter((one) => fits(one) !== decodes(one));
      expect(found).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

it.each(EDGES)('agrees with the codec about %s', (text) => {
  const value = JSON.parse(text);
  expect(fits(value)).toBe(decodes(value));
});

describe('the key $schema of a recipe.json', () => {
  const file = { $schema: './node_modules/tfjs-laplace/dist/recipe.schema.json', likelihood: 'poisson', prior: 10 };

  it('fits the schema, and is left out of the recipe', () => {
    expect(fits(file)).toBe(true);
    expect(decodeRecipe(file)).toEqual(E.right(recipe({ likelihood: 'poisson', prior: 10 })));
  });

  it('must be a string', () => {
    const wrong = { ...file, $schema: 3 };
    expect(fits(wrong)).toBe(false);
    expect(E.isLeft(decodeRecipe(wrong))).toBe(true);
  });
});
