/** Kronecker factors and output covariances from per-example Jacobians, materialised in float64. */
import type { Likelihood } from 'tfjs-laplace';
import { inverse, layerPrecision, meanOf, outer, plus, product, type Rows, transposed } from './dense64.js';
import type { ExampleJacobian } from './jacobians.js';
import { hessian } from './likelihoods64.js';

export interface Factors64 {
  readonly A: Rows;
  readonly G: Rows;
}

/** A = mean a aᵀ and G = mean Σ_cc' g_c Λ_cc' g_c'ᵀ of every layer. */
export function exactFactors(examples: ReadonlyArray<ExampleJacobian>, likelihood: Likelihood): Factors64[] {
  return (examples[0] as ExampleJacobian).layers.map((_, l) => ({
    A: meanOf(examples.map(({ layers }) => outer(layers[l]?.a as number[], layers[l]?.a as number[]))),
    G: meanOf(
      examples.map(({ layers, outputs }) => {
        const g = layers[l]?.g as Rows;
        return product(transposed(g), hessian(likelihood, outputs), g);
      }),
    ),
  }));
}

/** Mean of Jᵀ Λ J over examples, for Jacobians [example][output][weight]. */
export const gaussNewton = (jacobians: ReadonlyArray<Rows>, hessians: ReadonlyArray<Rows>): number[][] =>
  meanOf(jacobians.map((J, b) => product(transposed(J), hessians[b] as Rows, J)));

/** Covariance C_l of every layer's vec(W), the inverse of its materialised precision. */
export const covariances = (
  factors: ReadonlyArray<Factors64>,
  N: number,
  tau: number,
  damping: 'exact' | 'factored',
): number[][][] => factors.map(({ A, G }) => inverse(layerPrecision(A, G, N, tau, damping)));

/** Σ_l J_l C_l J_lᵀ [C, C] of one example. */
export const outputCovariance = (example: ExampleJacobian, layers: ReadonlyArray<Rows>): number[][] =>
  example.layers.map(({ rows }, l) => product(rows, layers[l] as Rows, transposed(rows))).reduce(plus);
