/**
 * `exact`: G = Σ_k E[(J_zᵀ λ_k)(J_zᵀ λ_k)ᵀ], where λ_k are the columns of a square root of the likelihood's output Hessian Λ, and
 * J_z is the Jacobian of f in the layer's pre-activations z. This is the generalised Gauss-Newton matrix, which equals the Fisher
 * matrix for the library's likelihoods (Martens 2020, section 9). It sends back C rows for each example.
 */
import { make, variant } from '../../codec/index.js';
import type { Columns } from '../observation.js';
import type { FisherRule } from './fisher.js';

export const Exact = variant('exact', {});

/**
 * The exact Fisher matrix. For the library's likelihoods it is the generalised Gauss-Newton matrix. For each example, one row for
 * each output is sent back through the network.
 *
 * @example
 * ```ts
 * import { exact } from 'tfjs-laplace';
 *
 * exact(); // => { _tag: 'exact' }
 * ```
 */
export const exact = (): (typeof Exact)['_A'] => make('exact', Exact, {});

const exactColumns: Columns = ({ likelihoodOps, outputs, targets }) => likelihoodOps.hessianRoot(outputs, targets);

export const exactRule: FisherRule<unknown> = {
  columns: () => exactColumns,
  rowsPerExample: (_, outputs) => outputs,
  isWhole: true,
  isTrainingStep: false,
  noisePower: 1,
};
