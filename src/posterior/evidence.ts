/**
 * The log marginal likelihood of the Laplace approximation (MacKay 1992, eq. 2.6; Immer et al. 2021, eq. 6):
 *
 *   log p(D | τ, σ) ≈ log p(D | θ*) − ½ [ Σ_layers Σ_ij log(N α_i γ_j + τ) − n m log τ + τ ‖θ*‖² ]
 *
 * where the sums run over the covered layers; the formula is for exact damping. It is in nats, summed over the data set. It needs
 * no data and costs O(n m) for each layer. For deep networks its maximum in τ is known to be under-confident: choose τ by
 * validation NLL unless you know better.
 */
import { ofKind } from '../codec/index.js';
import { orThrow } from '../orThrow.js';
import type { Determinant } from './determinant.js';
import { POSTERIOR } from './kind.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import { posteriorStructure } from './structure/index.js';

/** The log marginal likelihood and its three parts: logMarginalLikelihood = logLikelihood − ½ (logDetRatio + scatter). */
export interface Evidence {
  /** Σ log p(y | f) at the mean, in nats. For factors of training epochs it is taken at the moving weights of the epochs. */
  readonly logLikelihood: number;
  /** log det of posterior precision minus log det of prior precision. */
  readonly logDetRatio: number;
  /** τ ‖θ*‖², summed over the covered layers. */
  readonly scatter: number;
  readonly logMarginalLikelihood: number;
}

/** The evidence of a posterior, in nats. */
export function evidence(given: Posterior): Evidence {
  const posterior = orThrow(ofKind('evidence', POSTERIOR, given));
  const { logLikelihood, layers } = posterior;
  const ratio = layers.reduce((sum, layer) => sum + determinant(posterior, layer).logRatio(layer.priorPrecision), 0);
  const scatter = layers.reduce((sum, layer) => sum + layer.priorPrecision * squaredNorm(layer), 0);
  return { logLikelihood, logDetRatio: ratio, scatter, logMarginalLikelihood: logLikelihood - 0.5 * (ratio + scatter) };
}

/** The log determinant ratio of one layer as a function of the layer's prior precision. */
export const determinant = (posterior: Posterior, layer: PosteriorLayer): Determinant =>
  posteriorStructure(layer).determinant(layer, posterior);

/** ‖θ*‖² of a layer. */
export function squaredNorm({ mean }: PosteriorLayer): number {
  let sum = 0;
  for (const v of mean.data) sum += v * v;
  return sum;
}
