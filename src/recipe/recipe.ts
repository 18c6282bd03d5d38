/**
 * Makes recipes from a few choices, reads them from unknown data, and writes them as data.
 *
 * Shorthand is allowed wherever a recipe is written. The result is always the canonical form. The shorthand is:
 * - a bare tag, which stands for a value with all its defaults: `likelihood: 'categorical'`, `curvature: 'ekfac'`;
 * - a number, which stands for an isotropic prior (`prior: 100`), or a number for each layer (`prior: { hidden: 10 }`).
 *
 * Laws: `decodeRecipe` is idempotent; `decodeRecipe ∘ encodeRecipe = id`, also with JSON in between.
 */
import { either as E, function as F } from 'fp-ts';
import { type DataOf, decode, isData, isRecord, refused } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { orThrow } from '../orThrow.js';
import { type Recipe, RecipeCodec, type RecipeInput } from './codec.js';
import { problemsBetween } from './consistent.js';

/** A recipe that JSON can hold: no choice holds a function at any depth. */
export type RecipeData = DataOf<Recipe>;

/**
 * Reads a recipe from unknown data. The error lists every problem at once. When each choice is right by itself, they are checked together: a
 * link, a scale or a calibration is for probabilities, a criterion has to suit the likelihood, and a report is kept in a folder. A `$schema`
 * is for editors (see `recipeSchema`), and says nothing about the analysis: it is left out.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { decodeRecipe } from 'tfjs-laplace';
 *
 * const result = decodeRecipe({ likelihood: 'categorical', curvature: { _tag: 'kfac', fisher: 'exakt' }, priors: 3 });
 * E.isLeft(result) && result.left.issues.map(({ path }) => path); // => ['curvature.fisher', 'priors']
 * ```
 */
export const decodeRecipe = (input: unknown): E.Either<LaplaceError, Recipe> =>
  F.pipe(decode(RecipeCodec, withoutSchema(input), 'recipe'), E.chain(consistent));

function consistent(all: Recipe): E.Either<LaplaceError, Recipe> {
  const problems = problemsBetween(all);
  return problems.length === 0 ? E.right(all) : E.left(refused('InvalidRecipe', 'recipe', problems));
}

function withoutSchema(input: unknown): unknown {
  if (!isRecord(input) || typeof input.$schema !== 'string') return input;
  const { $schema: _, ...choices } = input;
  return choices;
}

/**
 * Makes a recipe. A choice that is not given gets its default. Throws an `InvalidRecipe` that lists every problem.
 *
 * @example
 * ```ts
 * import { categorical, kfac, recipe } from 'tfjs-laplace';
 *
 * const analysis = recipe({ likelihood: categorical(), curvature: kfac({ fisher: 'empirical' }), prior: 100 });
 * analysis.prior; // => { _tag: 'isotropic', precision: 100 }
 * analysis.damping; // => { _tag: 'exact' }
 * ```
 */
export const recipe = (input: RecipeInput): Recipe => orThrow(decodeRecipe(input));

/** Whether a value is a complete recipe in its canonical form, whose choices go together. */
export const isRecipe = (value: unknown): value is Recipe => RecipeCodec.is(value) && problemsBetween(value).length === 0;

/**
 * Writes a recipe as data for JSON.
 *
 * @returns the data, or `InvalidRecipe` if the recipe holds code: a predicate over epochs, or a likelihood, a Fisher matrix, a link
 *   or a criterion of your own
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { decodeRecipe, encodeRecipe, recipe } from 'tfjs-laplace';
 *
 * const analysis = recipe({ likelihood: 'bernoulli', prior: { hidden: 10, logits: 1 } });
 * const data = E.toUnion(encodeRecipe(analysis));
 * decodeRecipe(JSON.parse(JSON.stringify(data))); // => E.right(analysis)
 * ```
 */
export const encodeRecipe = (value: Recipe): E.Either<LaplaceError, RecipeData> =>
  F.pipe(
    decodeRecipe(value),
    E.chain((all): E.Either<LaplaceError, RecipeData> => (isData(all) ? E.right(all) : E.left(holdsCode(all)))),
  );

/** The choices that can hold code, and what they can hold instead. */
const CODE = {
  epochs: { path: 'epochs.predicate', expected: 'finalEpochs or everyEpoch' },
  likelihood: { path: 'likelihood', expected: 'a likelihood of the library' },
  curvature: { path: 'curvature.fisher', expected: 'a Fisher matrix of the library' },
  predictive: { path: 'predictive.link', expected: 'a link of the library' },
  tuning: { path: 'tuning.criterion', expected: 'a criterion of the library' },
} as const;

function holdsCode(all: Recipe): LaplaceError {
  const choice =
    (['epochs', 'likelihood', 'curvature', 'predictive', 'tuning'] as const).find((key) => !isData(all[key])) ?? 'epochs';
  const { path, expected } = CODE[choice];
  const facts = { found: 'a function', expected };
  return laplaceError('InvalidRecipe', {
    what: `recipe: ${path} cannot be written as data`,
    field: path,
    ...facts,
    issues: [{ path, ...facts }],
  });
}
