/** The covariance of one example's outputs on the host: all of it, or variances alone. */

/** Σ of f [C]. */
export interface OutputCovariance {
  /** diag Σ [C] >= 0. */
  readonly variance: Float64Array;
  /** Σ [C, C] row-major, where it is known; without, outputs are taken as independent. */
  readonly full?: Float64Array;
}

/** From C variances, or C² covariances; rounding below 0 becomes 0. */
export function outputCovariance(values: ArrayLike<number>, C: number): OutputCovariance {
  const nonNegative = (v: number): number => Math.max(0, v);
  if (values.length === C) return { variance: Float64Array.from(values, nonNegative) };
  const full = Float64Array.from(values);
  return { variance: Float64Array.from({ length: C }, (_, c) => nonNegative(full[c * C + c] as number)), full };
}
