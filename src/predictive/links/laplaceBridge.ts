/**
 * The Laplace bridge (MacKay 1998; Hobbhahn, Kristiadi & Hennig 2022, eq. 9). It is the Dirichlet over probabilities p =
 * softmax(f) whose Laplace approximation in f is N(μ, Σ). With K classes and outputs that add up to 0,
 *
 *   α_k = (1 − 2/K + e^{μ_k} Σ_i e^{−μ_i} / K²) / Σ_kk.
 *
 * A softmax depends only on differences of outputs. So f is centred first: f − mean(f) ~ N(Pμ, PΣP) with P = I − 11ᵀ/K.
 * laplace-torch conditions f on Σ f = 0 instead. The two agree if all rows of Σ have the same sum. Otherwise conditioning moves
 * the mean, takes variance away from differences, and depends on what all outputs share. Centring comes nearer to E[softmax(f)].
 * For 3 to 10 classes with random covariances its largest error was 0.07 to 0.22 on average; with conditioning it was 0.09 to
 * 0.31, and with the multi-class probit 0.004 to 0.08. So use a bridge for its spread and its speed, not for its mean.
 *
 * The mean of the Dirichlet is α / Σα. For two classes it is softmax(μ) for every Σ. For more classes it does not tend to
 * softmax(μ) as Σ goes to 0. At Σ = 0 the bridge is undefined, and softmax(μ) is taken.
 *
 * One label is two classes with outputs ±f/2. Its probability is a Beta with α = (1 + e^f) / s², β = (1 + e^{−f}) / s².
 */
import { classEntropy, softmax } from './entropies.js';
import type { ClassMoments, LinkRule } from './link.js';
import { type LabelMoments, labelwise } from './logisticNormal.js';
import type { OutputCovariance } from './outputCovariance.js';

/** Above this Σα a Dirichlet is a point up to float32: entropies differ by less than 1e-12. */
const CERTAIN = 1e15;
/** The rounding of float32 covariances, relative to the largest one. No variance is taken to be smaller than this. */
const ROUNDING = 2 ** -20;

/** Above this logarithm, 1 is lost beside the exponential. */
const LARGE = 40;

/** Moments of the probabilities of classes. */
export function classBridge(mean: Float64Array, covariance: OutputCovariance): ClassMoments {
  const K = mean.length;
  const centre = mean.reduce((sum, v) => sum + v, 0) / K;
  const mu = mean.map((v) => v - centre);
  const variance = centredVariances(covariance, K);
  const largest = variance.reduce((a, b) => Math.max(a, b), 0);
  const raw = covariance.variance.reduce((a, b) => Math.max(a, b), 0);
  if (largest <= raw * ROUNDING) {
    const probabilities = softmax(mean);
    return { probabilities, standardDeviations: new Float64Array(K), expectedEntropy: classEntropy(probabilities) };
  }
  // Computed in logarithms, because e^{±700} overflows.
  const inverse = logSumExp(mu.map((v) => -v)) - 2 * Math.log(K);
  const first = 1 - 2 / K;
  const logs = mu.map((v, k) => {
    const second = v + inverse;
    const sum = second < LARGE ? Math.log(first + Math.exp(second)) : second;
    return sum - Math.log(Math.max(variance[k] as number, largest * ROUNDING));
  });
  return dirichlet(softmax(logs), Math.exp(logSumExp(logs)));
}

/** Moments of one label's probability. */
export function labelBridge(mu: number, variance: number): LabelMoments {
  const p = 1 / (1 + Math.exp(-mu));
  const q = 1 / (1 + Math.exp(mu));
  // α + β = (2 + e^f + e^−f) / s² = 1 / (p q s²).
  const { standardDeviations, expectedEntropy } = dirichlet(Float64Array.of(p, q), 1 / (p * q * variance));
  return { mean: p, variance: (standardDeviations[0] as number) ** 2, expectedEntropy };
}

/**
 * The moments of the Dirichlet with mean p and sum Σα: Var p_k = p_k (1 − p_k) / (Σα + 1), E[H] = ψ(Σα + 1) − Σ_k p_k ψ(α_k + 1).
 */
function dirichlet(p: Float64Array, sum: number): ClassMoments {
  const total = Math.min(sum, CERTAIN);
  const expected = p.reduce((entropy, v) => entropy - v * digamma(v * total + 1), digamma(total + 1));
  return {
    probabilities: p,
    standardDeviations: p.map((v) => (sum < CERTAIN ? Math.sqrt((v * (1 - v)) / (total + 1)) : 0)),
    expectedEntropy: Math.max(0, expected),
  };
}

/** diag(P Σ P). */
function centredVariances({ variance, full }: OutputCovariance, K: number): Float64Array {
  const rows =
    full === undefined ? variance : variance.map((_, k) => full.subarray(k * K, (k + 1) * K).reduce((a, b) => a + b, 0));
  const total = rows.reduce((a, b) => a + b, 0);
  return variance.map((v, k) => Math.max(0, v - (2 * (rows[k] as number)) / K + total / (K * K)));
}

function logSumExp(values: Float64Array): number {
  const max = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return max + Math.log(values.reduce((sum, v) => sum + Math.exp(v - max), 0));
}

/**
 * ψ(x) for x > 0, by the recurrence up to 8 and then the asymptotic series (Abramowitz & Stegun 6.3.18). Errors are below 1e-13.
 */
export function digamma(x: number): number {
  let [shift, y] = [0, x];
  for (; y < 8; y++) shift -= 1 / y;
  const s = 1 / (y * y);
  const series = s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - (s * 691) / 32760)))));
  return shift + Math.log(y) - 0.5 / y - series;
}

export const laplaceBridgeRule: LinkRule = { classes: classBridge, labels: labelwise(labelBridge), isDrawn: false };
