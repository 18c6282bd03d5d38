/**
 * The posterior of a last layer whose output factor is diagonal plus low rank: G = diag(δ) + Z Zᵀ with Z = B √λ [m, r]. The rows
 * of U_Aᵀ W are independent. Row i has the precision P_i = s_i G + t_i I, with s_i and t_i from the damping (`damping.ts`). With
 * D_i = s_i diag(δ) + t_i I, ρ_i = t_i / s_i and K_i = I + Zᵀ diag(1 / (δ + ρ_i)) Z [r, r] (`grams.ts`),
 *
 *   P_i⁻¹ = D_i⁻¹ − s_i D_i⁻¹ Z K_i⁻¹ Zᵀ D_i⁻¹,     log det P_i = log det D_i + log det K_i
 *
 * (Woodbury; matrix determinant lemma, `capacity.ts`). Another τ, T or damping needs no data and no decomposition of G. It costs
 * O(n r³), and what `grams.ts` states. No array has m² numbers. For independent outputs G is diagonal and has no low rank part.
 * Then the weights are independent along directions, as in `product.ts`.
 */
import { either as E, function as F } from 'fp-ts';
import type { LayerLayout } from '../../curvature/layout.js';
import { partsOf } from '../../curvature/structure/index.js';
import { testMatrix } from '../../curvature/structure/sketch.js';
import type { LaplaceError } from '../../errors.js';
import { times } from '../../linalg/matrix.js';
import { nystrom } from '../../linalg/nystrom.js';
import { choleskyRoots, inverseRoots } from '../../linalg/small.js';
import type { Matrix } from '../../types.js';
import { dampingNamed } from '../damping.js';
import { ofValues, sumOf } from '../determinant.js';
import { capacity } from './capacity.js';
import { gramsOf, shifted } from './grams.js';
import { column, sideOf } from './sides.js';
import type { Distribution, PosteriorStructure, Setting } from './structure.js';

/** The eigendecomposition of A, and G = diag(δ) + B diag(λ) Bᵀ. */
export interface LowRankParts {
  /** α [n, 1], the eigenvalues of A, >= 0. */
  readonly inputValues: Matrix;
  /** U_A [n, n], the eigenvectors of A as columns. */
  readonly inputVectors: Matrix;
  /** δ [m, 1], >= 0. */
  readonly diagonal: Matrix;
  /** λ [r, 1], > 0, descending. Absent if G is diagonal, and then `rankVectors` is absent too. */
  readonly rankValues?: Matrix;
  /** B [m, r], with orthonormal columns. */
  readonly rankVectors?: Matrix;
}

/** The parts of a layer whose G has a low rank part. */
export type RankParts = Required<LowRankParts>;

/** Whether a layer's G has a low rank part. Then its weights are independent along no directions. */
export const hasRank = (layer: Distribution<LowRankParts>): layer is Distribution<RankParts> =>
  layer.parts.rankValues !== undefined;

export const lowRank: PosteriorStructure<LowRankParts> = {
  plan: (moments) => {
    const { layout } = moments;
    const { input, diagonal, sketch } = partsOf(moments) as { input: Matrix; diagonal: Matrix; sketch?: Matrix };
    return {
      asks: [input],
      build: (answers) =>
        F.pipe(
          E.Do,
          E.bind('output', () => outputParts(layout, diagonal, sketch)),
          E.bind('own', () => sideOf(layout.name, 'input', answers)),
          E.map(({ output, own }) => ({ inputValues: own.values, inputVectors: own.vectors, ...output })),
        ),
    };
  },
  shapes: ({ n, m }) => ({
    inputValues: { rows: n, cols: 1, isNonNegative: true },
    inputVectors: { rows: n, cols: n },
    diagonal: { rows: m, cols: 1, isNonNegative: true },
    rankValues: { rows: 'rank', cols: 1, isOptional: true, isNonNegative: true },
    rankVectors: { rows: m, cols: 'rank', isOptional: true },
  }),
  scaled: ({ diagonal, rankValues, ...rest }, factor) => ({
    ...rest,
    diagonal: times(diagonal, factor),
    ...(rankValues && { rankValues: times(rankValues, factor) }),
  }),
  determinant: (layer, { damping, datasetSize: N }) => {
    const { inputValues, diagonal } = layer.parts;
    const own = ofValues(diagonal.data);
    const columns = hasRank(layer) ? sumOf([own, capacity(rootOf(layer.parts), diagonal.data)]) : own;
    return dampingNamed(damping).determinant({ N, rows: inputValues.data, columns, width: layer.m });
  },
  precisions: (layer, setting) =>
    hasRank(layer) ? undefined : { _tag: 'rows', ...rowPrecisions(layer, setting), gradient: layer.parts.diagonal.data },
  keptTrace: (layer) => {
    const sum = ({ data }: Matrix): number => data.reduce((total, v) => total + v, 0);
    return hasRank(layer) ? sum(layer.parts.rankValues) / (sum(layer.parts.diagonal) + sum(layer.parts.rankValues)) : 1;
  },
};

/** The diagonal and the low rank part of G, from the diagonal [m, 1] of G and its sketch G Ω [m, l]. */
function outputParts(
  { m, sketch: how }: LayerLayout,
  diagonal: Matrix,
  sketch: Matrix | undefined,
): E.Either<LaplaceError, Omit<LowRankParts, 'inputValues' | 'inputVectors'>> {
  if (how === undefined || sketch === undefined) return E.right({ diagonal });
  return F.pipe(
    nystrom(sketch, testMatrix(m, how), how.rank),
    E.map(({ values, vectors }) => {
      const r = values.length;
      if (r === 0) return { diagonal };
      // δ takes up the rest of G's diagonal, so that this diagonal stays exact, whichever directions are left out.
      const rest = diagonal.data.map((v, c) => {
        const row = vectors.data.subarray(c * r, (c + 1) * r);
        return Math.max(0, v - row.reduce((sum, b, j) => sum + (values[j] as number) * b * b, 0));
      });
      return { diagonal: column(rest), rankValues: column(values), rankVectors: vectors };
    }),
  );
}

/** `scale` s [n] and `shift` t [n] in the precisions P_i = s_i G + t_i I of the rows of U_Aᵀ W. */
export const rowPrecisions = (
  { parts, priorPrecision }: Distribution<LowRankParts>,
  { damping, datasetSize: N }: Setting,
): { readonly scale: Float64Array; readonly shift: Float64Array } =>
  dampingNamed(damping).rows(N, priorPrecision, parts.inputValues.data);

/** Z = B √λ [m, r]. */
export function rootOf({ rankVectors, rankValues }: RankParts): Matrix {
  const r = rankValues.rows;
  const roots = rankValues.data.map(Math.sqrt);
  return { ...rankVectors, data: rankVectors.data.map((v, i) => v * (roots[i % r] as number)) };
}

/** L_i⁻¹ for every row i, [n, r, r], where L_i is the Cholesky root of K_i. */
export function inverseCapacities(layer: Distribution<RankParts>, setting: Setting): Float64Array {
  const { scale, shift } = rowPrecisions(layer, setting);
  const grams = gramsOf(rootOf(layer.parts), layer.parts.diagonal.data);
  const roots = shifted(
    grams,
    scale.map((s, i) => (shift[i] as number) / s),
  );
  choleskyRoots(roots, grams.rank);
  return inverseRoots(roots, grams.rank);
}
