/**
 * The link `multiclassProbit` (Lu, Ie & Sha 2020, "Mean-field approximation to Gaussian-softmax integral", mf2). softmax_k = 1 /
 * Σ_i exp(−(f_k − f_i)) contains a sigmoid of each difference of two outputs. Each difference gets its own probit, with λ₀ = π/8:
 *
 *   p_k ∝ 1 / Σ_i exp(−(μ_k − μ_i) / √(1 + λ₀ (Σ_kk + Σ_ii − 2 Σ_ik))).
 *
 * With variances alone it is the authors' mf1. It costs C²/2 exponentials for each example. For independent labels it is the same
 * as `probit`.
 */
import { EXP_RANGE, exp } from './exponential.js';
import type { LinkRule } from './link.js';
import type { OutputCovariance } from './outputCovariance.js';
import { drawnClasses } from './outputDraws.js';
import { PROBIT, probitRule } from './probit.js';

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

export const multiclassProbitRule: LinkRule = {
  classes: (mean, covariance, options) => ({
    ...drawnClasses(mean, covariance, options),
    probabilities: multiclassProbit(mean, covariance),
  }),
  labels: probitRule.labels,
  isDrawn: false,
};
