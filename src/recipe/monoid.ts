/**
 * Combines partial recipes. A later recipe overrides an earlier one, one whole choice at a time: `{ curvature: 'kfra' }` replaces
 * the earlier curvature together with all its options. A choice that is `undefined` overrides nothing.
 *
 * Laws: a monoid with `empty = {}`.
 *   concat(x, empty) = concat(empty, x) = x
 *   concat(concat(x, y), z) = concat(x, concat(y, z))
 */
import type { monoid as M } from 'fp-ts';
import type { PartialRecipe } from './codec.js';

/**
 * Combines partial recipes; the right one wins.
 *
 * @example
 * ```ts
 * import { monoid as M } from 'fp-ts';
 * import { recipe, recipeMonoid } from 'tfjs-laplace';
 *
 * const house = { prior: 100, predictive: 'linearised' } as const;
 * const study = { prior: 10 };
 * recipe({ likelihood: 'categorical', ...M.concatAll(recipeMonoid)([house, study]) }).prior; // => { _tag: 'isotropic', precision: 10 }
 * ```
 */
export const recipeMonoid: M.Monoid<PartialRecipe> = {
  empty: Object.freeze({}),
  concat: (earlier, later) => Object.freeze({ ...made(earlier), ...made(later) }),
};

/** The choices that are not `undefined`. */
const made = (partial: PartialRecipe): PartialRecipe =>
  Object.fromEntries(Object.entries(partial).filter(([, choice]) => choice !== undefined));
