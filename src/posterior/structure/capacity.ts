/**
 * log det K(ρ) with K = I + Zᵀ diag(1 / (δ + ρ)) Z (`grams.ts`), and how it depends on ρ. It is what a low rank Z Zᵀ adds to
 * log det (diag(δ) + ρ I). With K = L Lᵀ and the derivatives K', K'' in log ρ,
 *
 *   d log det K / d log ρ = tr(L⁻¹ K' L⁻ᵀ),     d² = tr(L⁻¹ K'' L⁻ᵀ) − ‖L⁻¹ K' L⁻ᵀ‖².
 *
 * The sums of `grams.ts` are made once. Then each ρ costs O(r³), beside what `grams.ts` states for K.
 */
import { choleskyRoots, inverseRoots, logDeterminants } from '../../linalg/small.js';
import type { Matrix } from '../../types.js';
import { type Determinant, type Effective, ofQuotient } from '../determinant.js';
import { type Grams, gramsOf, shifted, weighed } from './grams.js';

/**
 * log det K as a function of ρ. `effective` gives count = −d log det K / d log ρ >= 0 and its derivative in log ρ. A factor on δ
 * and Z Zᵀ is the same as one on 1 / ρ.
 *
 * @param root Z [m, r]
 * @param delta δ [m]
 */
export function capacity(root: Matrix, delta: Float64Array): Determinant {
  const grams = gramsOf(root, delta);
  const r = grams.rank;
  const rootAt = (rho: number): Float64Array => {
    const K = shifted(grams, Float64Array.of(rho));
    choleskyRoots(K, r);
    return K;
  };
  return {
    logRatio: (rho: number): number => logDeterminants(rootAt(rho), r)[0] as number,
    effective: (rho: number): Effective => {
      const inverse = inverseRoots(rootAt(rho), r);
      const first = congruent(
        inverse,
        symmetric(grams, (delta) => -rho / (delta + rho) ** 2),
        r,
      );
      const second = congruent(
        inverse,
        symmetric(grams, (delta) => (rho * (rho - delta)) / (delta + rho) ** 3),
        r,
      );
      const square = first.reduce((sum, v) => sum + v * v, 0);
      return ofQuotient(-trace(first, r), square - trace(second, r));
    },
  };
}

/** Σ_k weight(δ_k) T_k, [r, r]. */
function symmetric(grams: Grams, weight: (delta: number) => number): Float64Array {
  const r = grams.rank;
  const half = weighed(grams, weight);
  const all = new Float64Array(r * r);
  for (let a = 0, at = 0; a < r; a++) {
    for (let b = 0; b <= a; b++, at++) {
      all[a * r + b] = half[at] as number;
      all[b * r + a] = half[at] as number;
    }
  }
  return all;
}

/** T M Tᵀ for a lower triangular T. */
function congruent(T: Float64Array, M: Float64Array, r: number): Float64Array {
  const left = new Float64Array(r * r);
  for (let a = 0; a < r; a++) {
    for (let k = 0; k <= a; k++) {
      const factor = T[a * r + k] as number;
      for (let b = 0; b < r; b++) left[a * r + b] = (left[a * r + b] as number) + factor * (M[k * r + b] as number);
    }
  }
  const both = new Float64Array(r * r);
  for (let a = 0; a < r; a++) {
    for (let b = 0; b < r; b++) {
      let sum = 0;
      for (let k = 0; k <= b; k++) sum += (left[a * r + k] as number) * (T[b * r + k] as number);
      both[a * r + b] = sum;
    }
  }
  return both;
}

function trace(M: Float64Array, r: number): number {
  let sum = 0;
  for (let a = 0; a < r; a++) sum += M[a * r + a] as number;
  return sum;
}
