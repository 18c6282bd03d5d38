/**
 * The link `probit` (MacKay 1992b, eq. 10): a closed form for E[activation(f)] with f ~ N(μ, Σ). It replaces a sigmoid by a
 * probit with the same slope at 0, λ₀ = π/8:
 *
 *   activation(μ / √(1 + λ₀ diag Σ)).
 *
 * For a softmax this is the form of laplace-torch. It depends only on the variances, so it changes if a variance is added that
 * all outputs share. The spread comes from draws for classes, and from quadrature for labels.
 */
import { type Activation, sigmoid, softmax } from './entropies.js';
import type { LinkRule } from './link.js';
import { labelsByQuadrature } from './logisticNormal.js';
import { drawnClasses } from './outputDraws.js';

/** λ₀, for which a scaled probit has the slope of the sigmoid at 0. */
export const PROBIT = Math.PI / 8;

/** The logits of the mean probabilities. `variance` is the diagonal of Σ. */
const logits = (mean: Float64Array, variance: Float64Array): Float64Array =>
  mean.map((v, c) => v / Math.sqrt(1 + PROBIT * (variance[c] as number)));

/** The probit approximation to E[activation(f)]. */
export const probit = (activation: Activation, mean: Float64Array, variance: Float64Array): Float64Array =>
  activation(logits(mean, variance));

export const probitRule: LinkRule = {
  classes: (mean, covariance, options) => ({
    ...drawnClasses(mean, covariance, options),
    probabilities: probit(softmax, mean, covariance.variance),
  }),
  labels: (mean, variance) => ({ ...labelsByQuadrature(mean, variance), probabilities: probit(sigmoid, mean, variance) }),
  logits: (mean, variance) => {
    const z = logits(mean, variance);
    const slope = new Float64Array(z.length);
    // d log z / d log Σ = −½ λ₀ Σ / (1 + λ₀ Σ).
    for (let c = 0; c < z.length; c++) slope[c] = (z[c] as number) * (0.5 / (1 + PROBIT * (variance[c] as number)) - 0.5);
    return { mean: z, slope };
  },
  isDrawn: false,
};
