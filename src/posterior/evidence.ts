/**
 * The log marginal likelihood of the Laplace approximation (MacKay 1992, eq. 2.6; Immer et al. 2021, eq. 6):
 *
 *   log p(D | τ, σ) ≈ log p(D | θ*) − ½ [ Σ_layers Σ_ij log(N α_i γ_j + τ) − n m log τ + τ ‖θ*‖² ]
 *
 * over the covered layers. O(n m) a layer, no data. In nats, summed over the data set. Its maximum in τ is known to be
 * under-confident for deep networks: choose τ by validation NLL unless you know better.
 */
import type { Determinant } from './determinant.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import { posteriorStructure } from './structure/index.js';

/** The log marginal likelihood and its three parts: logMarginalLikelihood = logLikelihood − ½ (logDetRatio + scatter). */
export interface Evidence {
  /** Σ log p(y | f) at the mean, in nats. For factors of training epochs it is that of the moving weights. */
  readonly logLikelihood: number;
  /** log det of posterior precision minus log det of prior precision. */
  readonly logDetRatio: number;
  /** τ ‖θ*‖², summed over the covered layers. */
  readonly scatter: number;
  readonly logMarginalLikelihood: number;
}

/** The evidence of a posterior. */
export function evidence(posterior: Posterior): Evidence {
  const { logLikelihood, layers } = posterior;
  const ratio = layers.reduce((sum, layer) => sum + determinant(posterior, layer).logRatio(layer.priorPrecision), 0);
  const scatter = layers.reduce((sum, layer) => sum + layer.priorPrecision * squaredNorm(layer), 0);
  return { logLikelihood, logDetRatio: ratio, scatter, logMarginalLikelihood: logLikelihood - 0.5 * (ratio + scatter) };
}

/** The part of one layer as a function of its prior precision. */
export const determinant = (posterior: Posterior, layer: PosteriorLayer): Determinant =>
  posteriorStructure(layer).determinant(layer, posterior);

/** ‖θ*‖² of a layer. */
export function squaredNorm({ mean }: PosteriorLayer): number {
  let sum = 0;
  for (const v of mean.data) sum += v * v;
  return sum;
}
