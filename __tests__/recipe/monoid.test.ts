import fc from 'fast-check';
import { monoid as M } from 'fp-ts';
import { RECIPE_KEYS } from '../../src/codec/options.js';
import { recipeMonoid } from '../../src/recipe/monoid.js';
import { partialRecipe } from '../codec/arbitraries.js';

const { concat, empty } = recipeMonoid;

it('has an identity', () => {
  fc.assert(
    fc.property(partialRecipe, (x) => {
      expect(concat(x, empty)).toEqual(x);
      expect(concat(empty, x)).toEqual(x);
    }),
  );
});

it('is associative', () => {
  fc.assert(
    fc.property(partialRecipe, partialRecipe, partialRecipe, (x, y, z) => {
      expect(concat(concat(x, y), z)).toStrictEqual(concat(x, concat(y, z)));
    }),
  );
});

it('lets the later choice win, and an undefined one not', () => {
  fc.assert(
    fc.property(partialRecipe, partialRecipe, fc.constantFrom(...RECIPE_KEYS), (x, y, key) => {
      expect(concat(x, y)[key]).toBe(y[key] === undefined ? x[key] : y[key]);
    }),
  );
});

it('replaces a choice with all its options', () => {
  const base = { curvature: { _tag: 'lowRank', rank: 5 } } as const;
  expect(concat(base, { curvature: 'lowRank' })).toEqual({ curvature: 'lowRank' });
});

it('changes neither side', () => {
  const [house, study] = [Object.freeze({ prior: 100 }), Object.freeze({ prior: 10 })];
  expect(M.concatAll(recipeMonoid)([house, study])).toEqual({ prior: 10 });
  expect(empty).toEqual({});
  expect(Object.isFrozen(empty)).toBe(true);
});
