/**
 * Recipes: made from a few choices, read from unknown data, written as data.
 *
 * Shorthand is allowed wherever a recipe is written. It is never ambiguous, and decoding turns it into the canonical form:
 * - a bare tag for a value with all its defaults: `likelihood: 'categorical'`, `curvature: 'empirical'`, `damping: 'factored'`;
 * - a number for an isotropic prior, layers' names with numbers for a prior per layer: `prior: 100`, `prior: { hidden: 10 }`.
 *
 * Laws: `decodeRecipe` is idempotent; `decodeRecipe ∘ encodeRecipe = id`, also with JSON in between.
 */
import { either as E, function as F } from 'fp-ts';
import { decode, type Flat } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { isData, type Likelihood, type LikelihoodOf } from '../likelihood/codec.js';
import type { Observation } from '../stream/codec.js';
import { type Recipe, RecipeCodec, type RecipeInput } from './codec.js';

/** A recipe that JSON can hold: without a predicate over epochs, and without a custom likelihood, not even inside another. */
export type RecipeData = Flat<
  Omit<Recipe, 'observation' | 'likelihood'> & {
    readonly observation: Exclude<Observation, { readonly _tag: 'epochs' }>;
    readonly likelihood: Exclude<Likelihood, LikelihoodOf<'custom'>>;
  }
>;

/**
 * Reads a recipe from unknown data. The error lists every problem at once.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { decodeRecipe } from 'tfjs-laplace';
 *
 * const result = decodeRecipe({ likelihood: 'categorical', curvature: { _tag: 'monteCarlo', draws: -1 }, priors: 3 });
 * E.isLeft(result) && result.left.issues.map(({ path }) => path); // => ['curvature.draws', 'priors']
 * ```
 */
export const decodeRecipe = (input: unknown): E.Either<LaplaceError, Recipe> => decode(RecipeCodec, input, 'recipe');

/**
 * Makes a recipe: every choice that is not given gets its default, written out. Throws `InvalidRecipe` with every problem.
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
export const recipe = (input: RecipeInput): Recipe =>
  E.getOrElse((error: LaplaceError): Recipe => {
    throw error;
  })(decodeRecipe(input));

/** True for a complete recipe in its canonical form. */
export const isRecipe = (value: unknown): value is Recipe => RecipeCodec.is(value);

/**
 * Writes a recipe as data for JSON. A predicate over epochs and a custom likelihood are code and cannot be written: they give
 * `InvalidRecipe`.
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
    E.chain(({ observation, likelihood, ...rest }) => {
      if (observation._tag === 'epochs')
        return E.left(isCode('observation.predicate', 'finalEpochs or everyEpoch, which are data'));
      if (!isData(likelihood)) return E.left(isCode('likelihood', "one of the library's own likelihoods, which are data"));
      return E.right(Object.freeze({ ...rest, likelihood, observation }));
    }),
  );

function isCode(path: string, expected: string): LaplaceError {
  const facts = { found: 'a function', expected };
  return laplaceError('InvalidRecipe', {
    what: `recipe: ${path} cannot be written as data`,
    field: path,
    ...facts,
    issues: [{ path, ...facts }],
  });
}
