/**
 * The determinant of a layer whose output factor is diagonal plus low rank (`lowRank.ts`) as a function of its prior precision τ. With
 * s_i, ρ_i and K_i as there,
 *
 *   log det P_i = m log s_i + Σ_c log(δ_c + ρ_i) + log det K(ρ_i)
 *   d / d log ρ = Σ_c ρ / (δ_c + ρ) − ρ tr(K⁻¹ Σ_c z_c z_cᵀ / (δ_c + ρ)²)
 *
 * exact damping: s does not depend on τ, and d log ρ / d log τ = 1; factored: ½, and s = √N (√N α + √τ).
 */
import { choleskyRoots, inverseRoots, logDeterminants } from '../linalg/small.js';
import { gramsOf, shifted, slopes } from './grams.js';
import { type LowRankLayer, rootOf, rowPrecisions } from './lowRank.js';
import type { Posterior } from './posterior.js';

/** A `Determinant`: O(n r³) and what `grams.ts` says for each τ; the rows of Z are added up once. */
export function lowRankDeterminant(posterior: Posterior, layer: LowRankLayer) {
  const { m, gradient, lowRank, input } = layer;
  const delta = gradient.values;
  const r = lowRank.values.length;
  const grams = gramsOf(rootOf(lowRank), delta);
  const N = posterior.datasetSize;
  const isExact = posterior.damping._tag === 'exact';
  /** Rows that the data say something about; the others have the prior's determinant. */
  const seen = (tau: number) => {
    const { scale, shift } = rowPrecisions(posterior, { ...layer, priorPrecision: tau });
    const rows = Array.from(scale, (s, i) => ({ alpha: input.values[i] as number, s, t: shift[i] as number })).filter(
      ({ s }) => s > 0,
    );
    const rho = Float64Array.from(rows, ({ s, t }) => t / s);
    const roots = shifted(grams, rho);
    choleskyRoots(roots, r);
    return { rows, rho, roots };
  };
  return {
    logRatio: (tau: number): number => {
      const { rows, roots } = seen(tau);
      const capacity = logDeterminants(roots, r);
      return rows.reduce((sum, { s, t }, i) => {
        let own = m * Math.log(t / tau) + (capacity[i] ?? 0);
        for (let c = 0; c < m; c++) own += Math.log1p((s / t) * (delta[c] as number));
        return sum + own;
      }, 0);
    },
    effective: (tau: number): { readonly count: number; readonly slope: number } => {
      const { rows, rho, roots } = seen(tau);
      const inverses = inverseRoots(roots, r);
      const changes = slopes(grams, rho);
      let count = 0;
      let slope = 0;
      rows.forEach(({ alpha }, i) => {
        const own = rho[i] as number;
        let kept = 0;
        let steered = 0;
        for (let c = 0; c < m; c++) {
          const share = (delta[c] as number) / ((delta[c] as number) + own);
          kept += share;
          steered += share * (1 - share);
        }
        const directions = kept + own * traceOf(inverses, changes, i, r);
        const rootRow = Math.sqrt(N) * alpha;
        const left = isExact ? 0 : rootRow / (rootRow + Math.sqrt(tau));
        count += isExact ? directions : (directions + m * left) / 2;
        // That of the diagonal δ alone: it steers the search, and what is found does not depend on it.
        slope -= isExact ? steered : (steered + m * left * (1 - left)) / 4;
      });
      return { count, slope: Math.max(slope, -count) };
    },
  };
}

/** tr(K⁻¹ K₂) of matrix i, from L⁻¹ with K⁻¹ = L⁻ᵀ L⁻¹ and the lower half of K₂. */
function traceOf(inverses: Float64Array, changes: Float64Array, i: number, r: number): number {
  const first = i * r * r;
  let trace = 0;
  for (let k = 0; k < r; k++) {
    for (let a = 0; a <= k; a++) {
      const left = inverses[first + k * r + a] as number;
      for (let b = 0; b <= a; b++) {
        const term = left * (inverses[first + k * r + b] as number) * (changes[first + a * r + b] as number);
        trace += a === b ? term : 2 * term;
      }
    }
  }
  return trace;
}
