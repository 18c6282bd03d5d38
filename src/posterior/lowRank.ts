/**
 * Posteriors of a last layer whose output factor is diagonal plus low rank, G = diag(δ) + Z Zᵀ, Z = B √λ [m, r]. Along the eigenvectors of
 * A the rows of U_Aᵀ W are independent, each with a precision of its own,
 *
 *   exact damping     P_i = N α_i G + τ I
 *   factored damping  P_i = (√N α_i + √τ) (√N G + √τ I)
 *
 * that is s_i G + t_i I. With D_i = s_i diag(δ) + t_i, ρ_i = t_i / s_i and K_i = I + Zᵀ diag(1 / (δ + ρ_i)) Z [r, r] (`grams.ts`),
 *
 *   P_i⁻¹ = D_i⁻¹ − s_i D_i⁻¹ Z K_i⁻¹ Zᵀ D_i⁻¹,     log det P_i = log det D_i + log det K_i
 *
 * (Woodbury; the matrix determinant lemma, `capacity.ts`). Another τ, T or damping needs no data and no decomposition of G: O(n r³) and what `grams.ts`
 * says. Nothing is of size m².
 */
import { type LaplaceError, laplaceError } from '../errors.js';
import { choleskyRoots, inverseRoots } from '../linalg/small.js';
import type { Matrix } from '../types.js';
import type { LowRank } from './directions.js';
import { gramsOf, shifted } from './grams.js';
import type { Posterior, PosteriorLayer } from './posterior.js';

/** A layer with such a factor. */
export type LowRankLayer = PosteriorLayer & { readonly lowRank: LowRank };

/** Whether a layer's rows have covariances of their own instead of variances along common directions. */
export const isLowRank = (layer: PosteriorLayer): layer is LowRankLayer => layer.lowRank !== undefined;

/** s and t of every row: P_i = s_i G + t_i I. */
export interface RowPrecisions {
  /** s [n] >= 0. */
  readonly scale: Float64Array;
  /** t [n] > 0. */
  readonly shift: Float64Array;
}

/** The precisions of the rows of U_Aᵀ W. */
export function rowPrecisions(
  { damping, datasetSize: N }: Posterior,
  { input, priorPrecision: tau }: PosteriorLayer,
): RowPrecisions {
  const { values } = input;
  switch (damping._tag) {
    case 'exact':
      return { scale: values.map((v) => N * v), shift: values.map(() => tau) };
    case 'factored': {
      const [rootN, rootTau] = [Math.sqrt(N), Math.sqrt(tau)];
      const left = values.map((v) => rootN * v + rootTau);
      return { scale: left.map((v) => v * rootN), shift: left.map((v) => v * rootTau) };
    }
  }
}

/** Z [m, r]. */
export function rootOf({ vectors, values }: LowRank): Matrix {
  const r = values.length;
  const roots = values.map(Math.sqrt);
  return { ...vectors, data: vectors.data.map((v, i) => v * (roots[i % r] as number)) };
}

/** L⁻¹ of the Cholesky roots L of every K_i, [n, r, r]. */
export const inverseCapacities = (posterior: Posterior, layer: LowRankLayer): Float64Array =>
  inverseRoots(capacities(posterior, layer), layer.lowRank.values.length);

/** The Cholesky roots of every K_i, [n, r, r]. */
function capacities(posterior: Posterior, layer: LowRankLayer): Float64Array {
  const { scale, shift } = rowPrecisions(posterior, layer);
  const grams = gramsOf(rootOf(layer.lowRank), layer.gradient.values);
  const roots = shifted(
    grams,
    scale.map((s, i) => (shift[i] as number) / s),
  );
  choleskyRoots(roots, grams.rank);
  return roots;
}

/** For whoever asks such a layer for variances along directions. */
export const noVariances = (layer: string): LaplaceError =>
  laplaceError('UnsupportedLayer', {
    what: `The weights of layer '${layer}' are not independent along any directions`,
    layer,
    found: 'an output factor of diagonal plus low rank (lowRank)',
    expected: 'a posterior whose variances are a table: S² of kfac, ekfac, diagonal or full',
    remedy:
      'predict, outputDistribution, evidence and sampleModels take this posterior as it is; for anything else use kfac or diagonal.',
  });
