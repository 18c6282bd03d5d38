/** Puts a recipe together from parts. Types tell what cannot go together before anything runs. */
import { monoid as M } from 'fp-ts';
import { isRecord, refused } from '../codec/index.js';
import { describe } from '../codec/words.js';
import type { LikelihoodFrom, Predicts } from '../likelihood/index.js';
import type { Link } from '../predictive/links/index.js';
import type { PartialRecipe, Recipe, RecipeInput } from './codec.js';
import { recipeMonoid } from './monoid.js';
import { recipe } from './recipe.js';

/** The choices of all parts, as a type; the later one wins. */
type Merged<P extends ReadonlyArray<unknown>> = P extends readonly [...infer Earlier, infer Last]
  ? Omit<Merged<Earlier>, keyof Last> & Last
  : unknown;

/** What the outputs of a likelihood are about: each of them, if there are several. */
type OutcomesOf<L> = L extends { readonly outputs: infer O } ? { [K in keyof O]: Predicts<O[K]> }[keyof O] : Predicts<L>;

/** Whether outputs are known to be numbers or counts, so that nothing has a probability. */
type AreNumbers<L> = [OutcomesOf<L>] extends ['numbers' | 'counts'] ? true : false;

/** Whether a predictive names a link. One whose type does not say which has none, as far as types tell. (Strings have a method `link`.) */
type NamesLink<P> = P extends string ? false : P extends { readonly link: infer K } ? ([Link] extends [K] ? false : true) : false;

/** Whether a calibration is chosen. */
type Calibrates<C> = [C] extends ['none'] ? false : true;

/** What is wrong between the choices, as a type; `unknown` if nothing is. */
type Problem<R> = R extends { readonly likelihood: infer L }
  ? AreNumbers<LikelihoodFrom<L>> extends true
    ? R extends { readonly predictive: infer P }
      ? NamesLink<P> extends true
        ? { readonly 'a regression has no probabilities: leave out the link of the predictive': never }
        : CalibrationProblem<R>
      : CalibrationProblem<R>
    : unknown
  : { readonly 'a part with a likelihood is missing': never };

type CalibrationProblem<R> = R extends { readonly calibration: infer C }
  ? Calibrates<C> extends true
    ? { readonly "a regression has no probabilities: calibration is 'none'": never }
    : unknown
  : unknown;

/**
 * Puts a recipe together from parts, of which a later one wins, one whole choice at a time. At least one part has a likelihood.
 *
 * What is known from types is refused by the compiler: a link or a calibration for a regression, or parts without a likelihood. Whatever
 * types do not know is refused when it runs.
 *
 * @throws LaplaceError `InvalidRecipe` that lists every problem, as `recipe` does.
 *
 * @example
 * ```ts
 * import { composeRecipe, gaussian, linearised, presets } from 'tfjs-laplace';
 *
 * const house = { prior: 100, report: { conformal: { level: 0.95 } } } as const;
 * const analysis = composeRecipe(presets.lastLayer, house, { likelihood: gaussian() });
 * analysis.report.conformal?.level; // => 0.95
 * // @ts-expect-error: a regression has no probabilities for a link to make.
 * composeRecipe({ likelihood: gaussian() }, { predictive: linearised({ link: 'probit' }) });
 * ```
 */
export const composeRecipe = <const P extends ReadonlyArray<PartialRecipe>>(
  ...parts: P & (Problem<Merged<P>> extends infer E ? (unknown extends E ? unknown : ReadonlyArray<E>) : never)
): Recipe => {
  const given: ReadonlyArray<unknown> = parts;
  const foreign = given.flatMap((part, i) =>
    isRecord(part) ? [] : [{ path: `parts[${i}]`, found: describe(part), expected: 'an object with some choices of a recipe' }],
  );
  if (foreign.length > 0) throw refused('InvalidRecipe', 'composeRecipe', foreign);
  return recipe(M.concatAll(recipeMonoid)(parts as ReadonlyArray<PartialRecipe>) as RecipeInput);
};
