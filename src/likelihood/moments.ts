/**
 * Mean and variance of a regression's label y, by the law of total variance:
 *
 *   E[y] = E[m(f)],   Var[y] = Var[m(f)] + E[v(f)],   m(f) = E[y | f],  v(f) = Var[y | f].
 *
 * A likelihood that has a closed form of these for outputs f ~ N(μ, diag V) gives it as `gaussianMoments`. They are computed on
 * the host in float64.
 */

/** Moments of one label. */
export interface Moments {
  readonly mean: number;
  /** Var[m(f)]. */
  readonly epistemic: number;
  /** E[v(f)]. */
  readonly noise: number;
}

/** E[e^f] for f ~ N(μ, v). */
export const logNormalMean = (mu: number, v: number): number => Math.exp(mu + v / 2);
