/** Analyses that have a name, as partial recipes. The likelihood is never among the choices. */
import type { PartialRecipe } from './codec.js';

/**
 * Named parts of recipes, for `composeRecipe` and `recipeMonoid`.
 *
 * | preset | what it is |
 * |---|---|
 * | `bensemble` | `LaplaceApproximation` of Bensemble with its defaults: KFRA, the damping "paper", τ = 1, predictions from 100 sampled networks. Here KFRA has the slopes of the activations, and biases are covered. Held-out data change nothing, unless the trained network is better |
 * | `ritter2018` | Ritter, Botev & Barber 2018: KFAC with the factored damping, sampled networks, τ and a factor of N (the temperature) chosen on held-out data |
 * | `laplaceTorch` | `Laplace(model, likelihood)` of laplace-torch with its defaults: KFAC of the last layer, τ = 1, the probit link; with held-out data τ as `optimize_prior_precision` chooses it there |
 * | `lastLayer` | the last layer alone, its prior the widest that held-out data allow |
 * | `linearised` | all layers, the linearised predictive, the prior as for `lastLayer`: the best of this library for classes |
 *
 * @example
 * ```ts
 * import { composeRecipe, presets } from 'tfjs-laplace';
 *
 * const analysis = composeRecipe({ likelihood: 'categorical' }, presets.ritter2018, { prior: 10 });
 * analysis.damping; // => { _tag: 'factored' }
 * analysis.prior; // => { _tag: 'isotropic', precision: 10 }
 * ```
 */
export const presets = {
  bensemble: {
    curvature: 'kfra',
    damping: 'factored',
    prior: 1,
    predictive: { _tag: 'weightSampling', samples: 100 },
    tuning: { over: ['precision'], precisions: [1], rule: 'best' },
  },
  ritter2018: {
    curvature: { _tag: 'kfac', fisher: 'exact' },
    damping: 'factored',
    predictive: { _tag: 'weightSampling', samples: 100 },
    tuning: { criterion: 'nll', rule: 'best', over: ['precision', 'temperature'] },
  },
  laplaceTorch: {
    curvature: { _tag: 'kfac', fisher: 'exact', layers: 'last' },
    damping: 'exact',
    prior: 1,
    predictive: 'linearised',
    tuning: { over: ['precision'], rule: 'best' },
  },
  lastLayer: {
    curvature: { _tag: 'kfac', fisher: 'exact', layers: 'last' },
    predictive: 'linearised',
    tuning: { rule: 'widest' },
  },
  linearised: {
    curvature: { _tag: 'kfac', fisher: 'truncated' },
    predictive: 'linearised',
    tuning: { rule: 'widest' },
  },
} as const satisfies Readonly<Record<string, PartialRecipe>>;
