/**
 * How the evidence depends on a layer's prior precision τ, and how to combine such functions of τ. Each structure builds its
 * `Determinant` (`structure/`), most of them with the help of the damping (`damping.ts`).
 *
 *   R(τ) = log det (posterior precision) − log det (prior precision) = Σ log(1 + λ/τ)
 *   γ(τ) = −dR / d log τ = Σ λ / (λ + τ)          the parameters that the data determine (MacKay 1992)
 *   dγ / d log τ = −Σ λ τ / (λ + τ)²              in [−γ, 0]
 *
 * The sums run over directions. λ is the curvature of the whole data set along a direction: N α_i γ_j, or N times the entry of a
 * table.
 */

/** The number of effective parameters γ and its derivative, at one τ. */
export interface Effective {
  /** γ. */
  readonly count: number;
  /** dγ / d log τ, in [−count, 0]. */
  readonly slope: number;
}

/** One layer's part of the evidence as functions of τ. */
export interface Determinant {
  /** R(τ). */
  readonly logRatio: (tau: number) => number;
  /** γ(τ) and its slope. For tables and products each direction costs one division, and no logarithm. */
  readonly effective: (tau: number) => Effective;
}

/** Σ log(1 + v/τ) over values v >= 0. */
export const ofValues = (values: Float64Array): Determinant => ({
  logRatio: (tau) => sumLog1p(values, 1 / tau),
  effective: (tau) => {
    let count = 0;
    let slope = 0;
    for (let j = 0; j < values.length; j++) {
      const value = values[j] as number;
      const share = value / (value + tau);
      count += share;
      slope -= share * (1 - share);
    }
    return { count, slope };
  },
});

/** The function weight · R(τ^power / scale), for R of `own`. */
export function at(
  own: Determinant,
  { scale, weight = 1, power = 1 }: { readonly scale: number; readonly weight?: number; readonly power?: number },
): Determinant {
  const inner = (tau: number): number => tau ** power / scale;
  return {
    logRatio: (tau) => weight * own.logRatio(inner(tau)),
    effective: (tau) => {
      const { count, slope } = own.effective(inner(tau));
      return { count: weight * power * count, slope: weight * power * power * slope };
    },
  };
}

/** The sum of several functions of τ. */
export const sumOf = (parts: ReadonlyArray<Determinant>): Determinant => ({
  logRatio: (tau) => parts.reduce((sum, part) => sum + part.logRatio(tau), 0),
  effective: (tau) => {
    let count = 0;
    let slope = 0;
    for (const part of parts) {
      const own = part.effective(tau);
      count += own.count;
      slope += own.slope;
    }
    return { count, slope };
  },
});

/** A product up to this bound does not overflow when it is multiplied by one more factor up to this bound. */
const FULL = 1e150;

/**
 * Σ log(1 + scale · value), as logarithms of products with as many factors as float64 can hold. `beyond` is the product minus 1.
 * So directions about which the data say little keep their digits, as if log1p were taken of each.
 */
function sumLog1p(values: Float64Array, scale: number): number {
  let sum = 0;
  let beyond = 0;
  for (let j = 0; j < values.length; j++) {
    const x = scale * (values[j] as number);
    if (x > FULL) sum += Math.log1p(x);
    else {
      beyond += x + x * beyond;
      if (beyond > FULL) {
        sum += Math.log1p(beyond);
        beyond = 0;
      }
    }
  }
  return sum + Math.log1p(beyond);
}
