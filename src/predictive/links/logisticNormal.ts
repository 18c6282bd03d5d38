/**
 * Moments of p = sigmoid(f) for f ~ N(μ, s²) (the logistic-normal distribution), by the trapezoidal rule. The rule converges
 * geometrically for analytic integrands (Trefethen & Weideman 2014). The step resolves the narrower one of two functions: the
 * Gaussian, which has the width s, or the integrand, which is singular at ±iπ. Errors are below 1e-11, with at most 129 nodes.
 *
 * Over a finite range the rule needs an integrand that goes to 0 on both sides, but p does not. So for wide Gaussians it
 * integrates the difference between the sigmoid and the probit Φ(f √(π/8)), whose mean is known: E[Φ(f / k)] = Φ(μ / √(k² + s²)).
 */
import { normalProbability } from '../../random/normal.js';
import { labelEntropy } from './entropies.js';
import { exp } from './exponential.js';
import type { ClassMoments } from './link.js';

/** Moments of one label's probability. */
export interface LabelMoments {
  /** E[p]. */
  readonly mean: number;
  /** Var[p]. */
  readonly variance: number;
  /** E[H(p)], the entropy of a label in nats. */
  readonly expectedEntropy: number;
}

/** Moments of independent labels with outputs f ~ N(mean, diag variance), [C] each, from the moments of one label. */
export const labelwise =
  (momentsOf: (mu: number, variance: number) => LabelMoments) =>
  (mean: Float64Array, variance: Float64Array): ClassMoments => {
    const labels = Array.from(mean, (mu, k) => momentsOf(mu, variance[k] as number));
    return {
      probabilities: Float64Array.from(labels, (label) => label.mean),
      standardDeviations: Float64Array.from(labels, (label) => Math.sqrt(label.variance)),
      expectedEntropy: labels.reduce((sum, label) => sum + label.expectedEntropy, 0),
    };
  };

/** Beyond this many standard deviations a Gaussian has 1e-15 of its mass. */
const REACH = 8;
/** Beyond this logit H(sigmoid(f)) is below 1e-12. */
const EDGE = 32;
/** Up to this width the whole Gaussian is covered, by 129 nodes. A wider Gaussian is covered only within EDGE. */
const NARROW = 4;
/** k of the probit Φ(f / k) that has the slope of the sigmoid at 0. */
const SCALE = Math.sqrt(8 / Math.PI);

const sigmoid = (f: number): number => 1 / (1 + Math.exp(-f));

/** Moments of p = sigmoid(f), f ~ N(mu, variance). */
export function labelMoments(mu: number, variance: number): LabelMoments {
  const s = Math.sqrt(variance);
  if (s === 0) return { mean: sigmoid(mu), variance: 0, expectedEntropy: labelEntropy([sigmoid(mu)]) };
  const narrow = s <= NARROW;
  const low = narrow ? -REACH * s : Math.max(-REACH * s, -EDGE - mu);
  const high = narrow ? REACH * s : Math.min(REACH * s, EDGE - mu);
  const step = Math.min(s / 2, 0.5);
  const last = Math.floor(high / step);
  const centre = sigmoid(mu);
  let first = 0;
  let second = 0;
  let entropy = 0;
  for (let i = Math.ceil(low / step); i <= last; i++) {
    const f = mu + i * step;
    const z = (i * step) / s;
    const weight = exp(-0.5 * z * z);
    const odds = Math.exp(-Math.abs(f));
    const small = odds / (1 + odds);
    const p = f < 0 ? small : 1 - small;
    // Deviations from the centre keep the digits of a small variance.
    const deviation = p - centre;
    first += weight * (narrow ? deviation : p - normalProbability(f / SCALE));
    second += weight * (narrow ? deviation * deviation : small * (1 - small));
    // H(sigmoid(f)) = log(1 + e^−|f|) + |f| e^−|f| / (1 + e^−|f|).
    entropy += weight * (Math.log1p(odds) + Math.abs(f) * small);
  }
  const scale = step / (s * Math.sqrt(2 * Math.PI));
  const expectedEntropy = entropy * scale;
  if (narrow) {
    const shift = first * scale;
    return { mean: centre + shift, variance: Math.max(0, second * scale - shift * shift), expectedEntropy };
  }
  // E[p²] = E[p] − E[p (1 − p)].
  const mean = normalProbability(mu / Math.hypot(SCALE, s)) + first * scale;
  return { mean, variance: Math.max(0, mean * (1 - mean) - second * scale), expectedEntropy };
}

/** `labelMoments` of independent labels. */
export const labelsByQuadrature = labelwise(labelMoments);
