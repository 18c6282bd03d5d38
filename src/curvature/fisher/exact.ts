/**
 * `exact`: G = Σ_k E[(J_zᵀ λ_k)(J_zᵀ λ_k)ᵀ] over the columns λ_k of a square root of the likelihood's output Hessian Λ, the
 * generalised Gauss-Newton matrix, which for these likelihoods is the Fisher (Martens 2020, section 9). C rows an example.
 */
import type { Columns } from '../observation.js';

export const exactColumns: Columns = ({ likelihoodOps, outputs, targets }) => likelihoodOps.hessianRoot(outputs, targets);
