/**
 * `exact`: G = Σ_k E[(J_zᵀ λ_k)(J_zᵀ λ_k)ᵀ] over the columns λ_k of a square root of the likelihood's output Hessian Λ: the generalised
 * Gauss-Newton matrix, which is the Fisher for these likelihoods (Martens 2020, section 9). C rows an example.
 */
import { make, variant } from '../../codec/index.js';
import type { Columns } from '../observation.js';
import type { FisherRule } from './fisher.js';

export const Exact = variant('exact', {});

/**
 * The exact Fisher matrix, which is the generalised Gauss-Newton matrix for the library's likelihoods. Each output of an example costs
 * one row that is sent back through the network.
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
};
