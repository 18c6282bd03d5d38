/**
 * How the evidence depends on a layer's prior precision τ, and on a factor s on the curvature of the layer's outputs (on G), which
 * another noise variance changes. A posterior as it is has s = 1. Each structure builds its `Determinant` (`structure/`), most of
 * them with the help of the damping (`damping.ts`).
 *
 *   R(τ, s) = log det (posterior precision) − log det (prior precision) = Σ log(1 + s λ/τ)
 *   γ(τ, s) = −∂R / ∂ log τ = Σ s λ / (s λ + τ)          the parameters that the data determine (MacKay 1992)
 *   ∂γ / ∂ log τ = −Σ s λ τ / (s λ + τ)²                 in [−γ, 0]
 *
 * The sums run over directions. λ is the curvature of the whole data set along a direction: N α_i γ_j, or N times the entry of a
 * table. This is so for exact damping. Under factored damping R is a sum of such sums, of which only one depends on s.
 */

/** The number of effective parameters γ and the derivatives of R, at one τ and at s = 1. */
export interface Effective {
  /** γ = −∂R / ∂ log τ. */
  readonly count: number;
  /** ∂γ / ∂ log τ, in [−count, 0]. */
  readonly slope: number;
  /** ∂R / ∂ log s >= 0. Under exact damping it is γ. */
  readonly output: number;
  /** ∂²R / ∂ log τ ∂ log s <= 0. */
  readonly cross: number;
  /** ∂²R / ∂ (log s)² >= 0. */
  readonly outputSlope: number;
}

/** One layer's part of the evidence as functions of τ. */
export interface Determinant {
  /** R(τ). */
  readonly logRatio: (tau: number) => number;
  /** γ(τ) and the derivatives of R. For tables and products each direction costs one division, and no logarithm. */
  readonly effective: (tau: number) => Effective;
}

/** The derivatives of an R that depends on τ / s alone. */
export const ofQuotient = (count: number, slope: number): Effective => ({
  count,
  slope,
  output: count,
  cross: slope,
  outputSlope: -slope,
});

/** Σ log(1 + s v/τ) over values v >= 0. */
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
    return ofQuotient(count, slope);
  },
});

/** The function weight · R(τ^power / scale, s), for R of `own`. */
export function at(
  own: Determinant,
  { scale, weight = 1, power = 1 }: { readonly scale: number; readonly weight?: number; readonly power?: number },
): Determinant {
  const inner = (tau: number): number => tau ** power / scale;
  return {
    logRatio: (tau) => weight * own.logRatio(inner(tau)),
    effective: (tau) => {
      const { count, slope, output, cross, outputSlope } = own.effective(inner(tau));
      return {
        count: weight * power * count,
        slope: weight * power * power * slope,
        output: weight * output,
        cross: weight * power * cross,
        outputSlope: weight * outputSlope,
      };
    },
  };
}

/** The same function of τ, whatever s is. */
export const withoutOutputs = ({ logRatio, effective }: Determinant): Determinant => ({
  logRatio,
  effective: (tau) => ({ ...effective(tau), output: 0, cross: 0, outputSlope: 0 }),
});

/** The sum of several functions of τ. */
export const sumOf = (parts: ReadonlyArray<Determinant>): Determinant => ({
  logRatio: (tau) => parts.reduce((sum, part) => sum + part.logRatio(tau), 0),
  effective: (tau) => total(parts.map((part) => part.effective(tau))),
});

/** The sums of all derivatives. */
export function total(all: ReadonlyArray<Effective>): Effective {
  let [count, slope, output, cross, outputSlope] = [0, 0, 0, 0, 0];
  for (const own of all) {
    count += own.count;
    slope += own.slope;
    output += own.output;
    cross += own.cross;
    outputSlope += own.outputSlope;
  }
  return { count, slope, output, cross, outputSlope };
}

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
