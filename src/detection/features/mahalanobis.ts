/**
 * The squared Mahalanobis distance to the nearest class, with the means μ_c of the classes and one covariance for all:
 *
 *   score = min_c (z − μ_c)ᵀ Σ⁻¹ (z − μ_c),   Σ = 1/N Σ_i (z_i − μ_{y_i})(z_i − μ_{y_i})ᵀ
 *
 * Features of a trained network often have directions without variance (units that never fire). So Σ is drawn towards a multiple of the
 * identity, as scikit-learn's `ShrunkCovariance` does: (1 − s) Σ + s (tr Σ / D) I. An input that leaves such a direction is then far away.
 * The relative distance subtracts that to a normal of all examples, mean μ_0 and covariance Σ_0: min_c d_c − d_0. It depends less on what
 * all classes share, and is often better for inputs that are near the training data.
 *
 * Reference: Lee, Lee, Lee & Shin 2018, eqs. 1 and 2, for one layer and without their perturbed inputs; Ren et al. 2021 (relative).
 */
import { either as E, function as F } from 'fp-ts';
import { boolean, defaulted, fraction, make, numberRows, type Options, optional, struct, variant } from '../../codec/index.js';
import type { LaplaceError } from '../../errors.js';
import { checkCount, checkFinite, type Problem, problemOf, sound } from '../../metrics/rows.js';
import { type Normals, nearest, normalsOf } from './normals.js';
import type { DetectorRule } from './rule.js';

export const MahalanobisMethod = variant('mahalanobis', {
  /** Whether the distance to a normal of all examples is subtracted; default false. */
  relative: defaulted(boolean, false),
  /** s in [0, 1): how far the covariance is drawn towards a multiple of the identity; default 1e-6. Take more for few examples, such as 0.1. */
  shrinkage: defaulted(fraction, 1e-6),
});

const rows = numberRows('rows of finite numbers, all of one length');
/** `normals.ts` says what they are. */
const NORMALS = { means: rows, whitening: rows };
export const MahalanobisMap = variant('mahalanobis', {
  ...NORMALS,
  /** The normal of all examples, for the relative distance. */
  background: optional(struct('a normal of all examples', NORMALS)),
});

/** Options of `mahalanobis`. */
export type MahalanobisOptions = Options<typeof MahalanobisMethod>;

/**
 * Mahalanobis distances for `fitDetector` (Lee et al. 2018; relative: Ren et al. 2021).
 *
 * @throws LaplaceError `InvalidOption` if `shrinkage` is not in [0, 1), or `relative` no boolean.
 *
 * @example
 * ```ts
 * import { mahalanobis } from 'tfjs-laplace';
 *
 * mahalanobis({ relative: true }); // => { _tag: 'mahalanobis', relative: true, shrinkage: 1e-6 }
 * ```
 */
export const mahalanobis = (options: MahalanobisOptions = {}): (typeof MahalanobisMethod)['_A'] =>
  make('mahalanobis', MahalanobisMethod, options);

type Method = (typeof MahalanobisMethod)['_A'];
type Fitted = (typeof MahalanobisMap)['_A'];

export const mahalanobisRule: DetectorRule<Method, Fitted> = {
  fit: ({ relative, shrinkage }, features, labels) =>
    F.pipe(
      sound(checkClasses(labels, features.length), () => labels as ArrayLike<number>),
      E.chain((classes) => normalsOf(features, classes, shrinkage)),
      E.chain((own): E.Either<LaplaceError, Fitted> => {
        if (!relative) return E.right({ _tag: 'mahalanobis', ...own });
        return F.pipe(
          normalsOf(features, new Uint8Array(features.length), shrinkage),
          E.map((background) => ({ _tag: 'mahalanobis', ...own, background })),
        );
      }),
    ),
  apply: (map, features) => {
    const near = nearest(map);
    const all = map.background === undefined ? () => 0 : nearest(map.background);
    return Float64Array.from(features, (row) => near(row) - all(row));
  },
  suits: (map, D) => isOf(map, D) && (map.background === undefined || isOf(map.background, D)),
};

const isOf = ({ means, whitening }: Normals, D: number): boolean =>
  means[0]?.length === D && whitening.length === D && whitening[0]?.length === D;

function checkClasses(labels: ArrayLike<number> | undefined, N: number): Problem {
  if (labels === undefined) {
    const remedy = 'Give { features, labels }. Where there are no classes, let all labels be 0.';
    return problemOf('labels', 'nothing', 'the class of each row', 'InvalidInput', remedy);
  }
  const problem = checkFinite(labels, 'labels') ?? checkCount(labels.length, N, 'labels');
  if (problem !== undefined) return problem;
  const i = Array.from(labels).findIndex((y) => !Number.isInteger(y) || y < 0);
  return i < 0 ? undefined : problemOf(`labels[${i}]`, String(labels[i]), 'an integer >= 0', 'InvalidLabels');
}
