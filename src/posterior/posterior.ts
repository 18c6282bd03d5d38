/**
 * The posterior: for every covered layer a matrix-normal distribution over W [n, m],
 *
 *   W = M + √T · U_A (S ⊙ E) U_Gᵀ,   E standard normal,   A = U_A diag(α) U_Aᵀ,   G = U_G diag(γ) U_Gᵀ.
 *
 * `exact` damping:    S_ij² = 1 / (N α_i γ_j + τ), the exact inverse of N (A ⊗ G) + τ I.
 * `factored` damping: S_ij² = 1 / ((√N α_i + √τ) (√N γ_j + √τ)), Ritter, Botev & Barber 2018, eq. 8.
 *
 * Here M is the trained weights, T the temperature, N the number of examples and τ the prior precision. Both dampings use the
 * same eigenbasis, so another τ, T or damping needs no new decomposition. `structure/` holds the forms of the other structures.
 *
 * A posterior is a plain value of host arrays, frozen at every level. It can be cloned into a worker, stored, and shared.
 * Building one costs O(n³ + m³) for each layer, once.
 */
import type { Estimator } from '../curvature/codec.js';
import type { Likelihood } from '../likelihood/index.js';
import type { Matrix } from '../types.js';
import type { Damping } from './damping.js';
import type { Distributed } from './structure/index.js';

/**
 * The distribution of one layer's weights: its structure, and the structure's matrices by name.
 *
 * | structure | parts |
 * |---|---|
 * | `kronecker`, `embedding`, `inputDiagonal`, `full` | `inputValues` α [P·n, 1] and `gradientValues` γ [P·m, 1]: eigenvalues >= 0, whose products are the curvature of one example; `inputVectors` U_A [P·n, n] and `gradientVectors` U_G [P·m, m]: eigenvectors as columns, the identity if absent |
 * | `diagonal`, `eigen` | `curvature` λ [P·n, m]: the curvature of one example along each direction; `inputVectors` and `gradientVectors` as above |
 * | `lowRank` | `inputValues` and `inputVectors` as above; `diagonal` δ [m, 1]; `rankValues` λ [r, 1] and `rankVectors` B [m, r], with G = diag(δ) + B diag(λ) Bᵀ; the last two are absent if G is diagonal |
 */
export type PosteriorLayer = Distributed & {
  readonly name: string;
  /**
   * The names of the blocks whose weights the layer holds: only `name`, or for `full` all covered blocks, row by row in one
   * column.
   */
  readonly members: ReadonlyArray<string>;
  /** P, the number of groups of equal size with a block of their own; 1 except for depthwise convolutions and normalisations. */
  readonly groups: number;
  /** Rows of W in a group: inputs, and one for the bias. */
  readonly n: number;
  /** Columns of W: outputs. */
  readonly m: number;
  readonly bias: boolean;
  /** M [P·n, m], the trained weights. The bias is the last row of each group. */
  readonly mean: Matrix;
  /** τ, the prior precision of this layer. */
  readonly priorPrecision: number;
  /**
   * What each output adds to the curvature of one example, before any decomposition: to G [P·m, m], to the table λ [P·n, m], or for `full`
   * to the whole matrix [n, n]. They add up to the curvature. Absent unless the estimator has `noise: 'perOutput'`.
   */
  readonly shares?: ReadonlyArray<Matrix>;
};

/** A Kronecker-factored Gaussian over the weights of the covered layers; the other layers stay at their MAP. */
export interface Posterior {
  readonly _tag: 'Posterior';
  readonly layers: ReadonlyArray<PosteriorLayer>;
  readonly damping: Damping;
  readonly likelihood: Likelihood;
  /** The estimator of the curvature. */
  readonly estimator: Estimator;
  /** C, the number of outputs f of an example: all heads and all steps together. */
  readonly outputs: number;
  /** N, the number of training examples that the posterior stands for. */
  readonly datasetSize: number;
  /** Identifies the model's weights at the mean. */
  readonly fingerprint: string;
  /** Identifies what the model computes with its weights: its layers, activations and wiring. Absent in a file of another maker. */
  readonly architecture?: string;
  /** Σ log p(y | f) over the training data, in nats. */
  readonly logLikelihood: number;
  /** Σ (f − y)² / σ² of each output over the training data; absent unless the estimator has `noise: 'perOutput'`. */
  readonly squares?: ReadonlyArray<number>;
}
