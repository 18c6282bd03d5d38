/**
 * Closed forms of E[link(f)], f ~ N(μ, Σ), that replace a sigmoid by a probit of the same slope at 0, λ₀ = π/8.
 *
 * - probit (MacKay 1992b, eq. 10): link(μ / √(1 + λ₀ diag Σ)). For a softmax it is laplace-torch's form, which sees variances alone
 *   and depends on what is added to all outputs with a variance of its own.
 * - multi-class probit (Lu, Ie & Sha 2020, "Mean-field approximation to Gaussian-softmax integral", mf2): with
 *   softmax_k = 1 / Σ_i exp(−(f_k − f_i)) every difference of two outputs is a sigmoid of its own,
 *
 *     p_k ∝ 1 / Σ_i exp(−(μ_k − μ_i) / √(1 + λ₀ (Σ_kk + Σ_ii − 2 Σ_ik))).
 *
 *   From variances alone it is their mf1. C²/2 exponentials an example.
 */
import type { Link } from './entropies.js';
import { EXP_RANGE, exp } from './exponential.js';
import type { OutputCovariance } from './outputCovariance.js';

/** λ₀: matches the slope of the sigmoid to a scaled probit at 0. */
const PROBIT = Math.PI / 8;

/** The probit approximation to E[link(f)]. `variance` is the diagonal of Σ. */
export const probit = (link: Link, mean: Float64Array, variance: Float64Array): Float64Array =>
  link(mean.map((v, c) => v / Math.sqrt(1 + PROBIT * (variance[c] as number))));

/** The multi-class probit approximation to E[softmax(f)]. */
export function multiclassProbit(mean: Float64Array, { variance, full }: OutputCovariance): Float64Array {
  const C = mean.length;
  const sums = new Float64Array(C).fill(1);
  for (let k = 0; k < C; k++) {
    for (let i = 0; i < k; i++) {
      const shared = full === undefined ? 0 : (full[k * C + i] as number);
      const spread = Math.max(0, (variance[k] as number) + (variance[i] as number) - 2 * shared);
      const x = ((mean[k] as number) - (mean[i] as number)) / Math.sqrt(1 + PROBIT * spread);
      const odds = Math.abs(x) <= EXP_RANGE ? exp(x) : Math.exp(x);
      sums[k] = (sums[k] as number) + 1 / odds;
      sums[i] = (sums[i] as number) + odds;
    }
  }
  const total = sums.reduce((sum, v) => sum + 1 / v, 0);
  return sums.map((v) => 1 / (v * total));
}
