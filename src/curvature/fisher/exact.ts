/**
 * `exact`: G = Σ_k E[(J_zᵀ λ_k)(J_zᵀ λ_k)ᵀ] over the columns λ_k of a square root of the likelihood's output Hessian Λ: the generalised
 * Gauss-Newton matrix, which is the Fisher for these likelihoods (Martens 2020, section 9). C rows an example.
 */
import { variant } from '../../codec/index.js';
import type { Columns } from '../observation.js';
import type { FisherRule } from './fisher.js';

export const Exact = variant('exact', {});

const exactColumns: Columns = ({ likelihoodOps, outputs, targets }) => likelihoodOps.hessianRoot(outputs, targets);

export const exact: FisherRule<unknown> = {
  columns: () => exactColumns,
  rowsPerExample: (_, outputs) => outputs,
  isWhole: true,
  isTrainingStep: false,
};
