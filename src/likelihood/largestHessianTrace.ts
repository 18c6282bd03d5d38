/** The largest trace that the Hessian of −log p(y | f) in the outputs f of one example can have, whatever the outputs are. */
import type { Likelihood, LikelihoodOf } from './index.js';
import { variancesOf } from './noiseVariance.js';

type Single = Exclude<Likelihood, LikelihoodOf<'perStep'> | LikelihoodOf<'perOutput'>>;

/**
 * @param C the number of outputs of an example
 * @returns Infinity for a likelihood whose Hessian has no bound
 */
export function largestHessianTrace(likelihood: Likelihood, C: number): number {
  if (likelihood._tag === 'perOutput') {
    // How many outputs each of them has is not known here: the widest bound of one output holds for all.
    const each = Object.values(likelihood.outputs).map((own) => (own._tag === 'perStep' ? own.each : own));
    return C * Math.max(...each.map((own) => perOutput(own as Single)));
  }
  if (likelihood._tag === 'perStep') return C * perOutput(likelihood.each as Single);
  if (likelihood._tag === 'categorical') return 1 - 1 / C;
  if (likelihood._tag === 'gaussian') return variancesOf(likelihood.noiseVariance, C).reduce((sum, v) => sum + 1 / v, 0);
  return C * perOutput(likelihood);
}

/** The most that one output adds. */
function perOutput(likelihood: Single): number {
  switch (likelihood._tag) {
    // p (1 − p)
    case 'categorical':
    case 'bernoulli':
      return 1 / 4;
    case 'gaussian':
      return 1 / Math.min(...[likelihood.noiseVariance].flat());
    default:
      return Number.POSITIVE_INFINITY;
  }
}
