/** The covariance of one example's outputs on the host: the whole matrix, or only the variances. */

/** Σ of f [C]. */
export interface OutputCovariance {
  /** diag Σ [C] >= 0. */
  readonly variance: Float64Array;
  /** Σ [C, C], row-major. If absent, the outputs are taken as independent. */
  readonly full?: Float64Array;
}

/** Made from C variances or C² covariances. A variance that rounding took below 0 becomes 0. */
export function outputCovariance(values: Float32Array | Float64Array, C: number): OutputCovariance {
  const isFull = values.length > C;
  const variance = new Float64Array(C);
  for (let c = 0; c < C; c++) variance[c] = Math.max(0, values[isFull ? c * C + c : c] as number);
  return isFull ? { variance, full: new Float64Array(values) } : { variance };
}
