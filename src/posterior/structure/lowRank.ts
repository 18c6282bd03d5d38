/**
 * Posteriors of a last layer whose output factor is diagonal plus low rank, G = diag(δ) + Z Zᵀ, Z = B √λ [m, r]. Along the eigenvectors of
 * A the rows of U_Aᵀ W are independent. Each row i has a precision of its own, P_i = s_i G + t_i I, with s_i and t_i from the damping
 * (`damping.ts`). With D_i = s_i diag(δ) + t_i, ρ_i = t_i / s_i and K_i = I + Zᵀ diag(1 / (δ + ρ_i)) Z [r, r] (`grams.ts`),
 *
 *   P_i⁻¹ = D_i⁻¹ − s_i D_i⁻¹ Z K_i⁻¹ Zᵀ D_i⁻¹,     log det P_i = log det D_i + log det K_i
 *
 * (Woodbury; the matrix determinant lemma, `capacity.ts`). Another τ, T or damping needs no data and no decomposition of G, but O(n r³)
 * and the cost that `grams.ts` states. Nothing is of size m². Independent outputs have no low rank: then G is its diagonal, and weights
 * are independent along the directions as for a product.
 */
import { either as E, function as F } from 'fp-ts';
import type { LayerLayout } from '../../curvature/layout.js';
import { partsOf } from '../../curvature/structure/index.js';
import { testMatrix } from '../../curvature/structure/sketch.js';
import type { LaplaceError } from '../../errors.js';
import { nystrom } from '../../linalg/nystrom.js';
import { choleskyRoots, inverseRoots } from '../../linalg/small.js';
import type { Matrix } from '../../types.js';
import { dampingNamed } from '../damping.js';
import { ofValues, sumOf } from '../determinant.js';
import { capacity } from './capacity.js';
import { gramsOf, shifted } from './grams.js';
import { column, sideOf } from './sides.js';
import type { Distribution, PosteriorStructure, Setting } from './structure.js';

/** The input's side, and G = diag(δ) + B diag(λ) Bᵀ. */
export interface LowRankParts {
  /** α >= 0, [n, 1]. */
  readonly inputValues: Matrix;
  /** U_A [n, n]. */
  readonly inputVectors: Matrix;
  /** δ >= 0, [m, 1]. */
  readonly diagonal: Matrix;
  /** λ > 0, descending, [r, 1]; absent where G is its diagonal, as `rankVectors` is then. */
  readonly rankValues?: Matrix;
  /** B [m, r], orthonormal columns. */
  readonly rankVectors?: Matrix;
}

/** The parts of a layer that has a low rank. */
export type RankParts = Required<LowRankParts>;

/** Whether a layer's G is more than its diagonal: then a row's weights are independent along no directions. */
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
  determinant: (layer, { damping, datasetSize: N }) => {
    const { inputValues, diagonal } = layer.parts;
    const own = ofValues(diagonal.data);
    const columns = hasRank(layer) ? sumOf([own, capacity(rootOf(layer.parts), diagonal.data)]) : own;
    return dampingNamed(damping).determinant({ N, rows: inputValues.data, columns, width: layer.m });
  },
  precisions: (layer, setting) =>
    hasRank(layer) ? undefined : { _tag: 'rows', ...rowPrecisions(layer, setting), gradient: layer.parts.diagonal.data },
};

/** The diagonal and the low rank part of a G of which some products are known. */
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
      // The diagonal of G stays as it is, whatever directions are left out.
      const rest = diagonal.data.map((v, c) => {
        const row = vectors.data.subarray(c * r, (c + 1) * r);
        return Math.max(0, v - row.reduce((sum, b, j) => sum + (values[j] as number) * b * b, 0));
      });
      return { diagonal: column(rest), rankValues: column(values), rankVectors: vectors };
    }),
  );
}

/** s and t [n] of every row of U_Aᵀ W: P_i = s_i G + t_i I. */
export const rowPrecisions = (
  { parts, priorPrecision }: Distribution<LowRankParts>,
  { damping, datasetSize: N }: Setting,
): { readonly scale: Float64Array; readonly shift: Float64Array } =>
  dampingNamed(damping).rows(N, priorPrecision, parts.inputValues.data);

/** Z [m, r]. */
export function rootOf({ rankVectors, rankValues }: RankParts): Matrix {
  const r = rankValues.rows;
  const roots = rankValues.data.map(Math.sqrt);
  return { ...rankVectors, data: rankVectors.data.map((v, i) => v * (roots[i % r] as number)) };
}

/** L⁻¹ of the Cholesky roots L of every K_i, [n, r, r]. */
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
