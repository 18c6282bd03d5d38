/**
 * Output Hessians Λ_b in closed form. The columns of a root, C² numbers for each example, are never made.
 *
 *   independent outputs   Λ = diag(d)
 *   classes               Λ = diag(p) − p pᵀ, for probabilities p that add up to 1
 *
 * If a classifier is sure of an example, its Λ is nearly 0 beside p, and the difference above would lose it to rounding. So this
 * file computes only sums and products. Let t be the likeliest class, q be p with entry t set to 0, and s = Σ q = 1 − p_t. Then
 *
 *   vᵀ Λ v = p_t (s v_t − qᵀv)² + Σ_c q_c (v_c − μ)²,   μ = p_t v_t + qᵀv.
 *
 * For Σ_b Λ_b this file sums the entries beside the diagonal. Each row of Λ adds up to 0, so the diagonal follows from them.
 *
 * Weights w [B] say how often each example counts. Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Matrix } from '../types.js';

/** Operations on the Λ_b of a batch of outputs f [B, C]. */
export interface HessianOps {
  /** Whether Λ is a diagonal. */
  readonly independent: boolean;
  /** v_jᵀ Λ_b v_j for each column v_j of V [C, k]: [B, k]. Without V it is the diagonal of Λ_b, [B, C]. */
  readonly along: (f: tf.Tensor2D, V?: tf.Tensor2D) => tf.Tensor2D;
  /** Σ_b w_b Λ_b V [C, k]. */
  readonly times: (f: tf.Tensor2D, weights: tf.Tensor1D | undefined, V: tf.Tensor2D) => tf.Tensor2D;
  /** The number of columns of `partial`: 1 if Λ is diagonal, otherwise C. */
  readonly partialCols: (outputs: number) => number;
  /** The sum over examples that stands for Σ_b w_b Λ_b, [C, partialCols]. Such sums are added up over batches. */
  readonly partial: (f: tf.Tensor2D, weights: tf.Tensor1D | undefined) => tf.Tensor2D;
  /** Σ Λ [C, C], from the sum of `partial` over all batches. It is computed on the host. */
  readonly completed: (partials: Matrix) => Matrix;
}

/** Rows [B, C] times w_b. */
const weighted = (rows: tf.Tensor2D, weights: tf.Tensor1D | undefined): tf.Tensor2D =>
  weights === undefined ? rows : tf.mul(rows, tf.reshape(weights, [-1, 1]));

/** The operations for Λ = diag(d), with d [B, C] > 0. */
export const independentHessian = (d: (f: tf.Tensor2D) => tf.Tensor2D): HessianOps => {
  const sum = (f: tf.Tensor2D, weights: tf.Tensor1D | undefined): tf.Tensor2D =>
    tf.reshape(tf.sum(weighted(d(f), weights), 0), [-1, 1]);
  return {
    independent: true,
    along: (f, V) => (V === undefined ? d(f) : tf.matMul(d(f), tf.square(V))),
    times: (f, weights, V) => tf.mul(sum(f, weights), V),
    partialCols: () => 1,
    partial: sum,
    completed: ({ data }) => {
      const C = data.length;
      const whole = new Float64Array(C * C);
      data.forEach((v, c) => {
        whole[c * C + c] = v;
      });
      return { rows: C, cols: C, data: whole };
    },
  };
};

/** Probabilities p [B, C], cut into the likeliest class and the rest. */
interface Split {
  /** One-hot rows e_t. */
  readonly top: tf.Tensor2D;
  /** p_t [B, 1]. */
  readonly likeliest: tf.Tensor2D;
  /** q [B, C]. */
  readonly rest: tf.Tensor2D;
  /** s [B, 1]. */
  readonly others: tf.Tensor2D;
}

function split(p: tf.Tensor2D): Split {
  const top = tf.cast(tf.oneHot(tf.argMax(p, 1), p.shape[1]), 'float32') as tf.Tensor2D;
  const rest = tf.mul(p, tf.sub(1, top)) as tf.Tensor2D;
  return { top, likeliest: tf.max(p, 1, true), rest, others: tf.sum(rest, 1, true) };
}

/** The operations for Λ = diag(p) − p pᵀ, with p [B, C] whose rows add up to 1. */
export const simplexHessian = (probabilities: (f: tf.Tensor2D) => tf.Tensor2D): HessianOps => ({
  independent: false,
  along: (f, V) => {
    const { top, likeliest, rest, others } = split(probabilities(f));
    if (V === undefined) {
      // p_c (1 − p_c). For the likeliest class, 1 − p_c is the sum of the other probabilities.
      return tf.add(tf.mul(top, tf.mul(likeliest, others)), tf.mul(rest, tf.sub(1, rest)));
    }
    const [own, mean] = [tf.matMul(top, V), tf.matMul(rest, V)];
    const mu = tf.add(tf.mul(likeliest, own), mean);
    const ofTop = tf.mul(likeliest, tf.square(tf.sub(tf.mul(others, own), mean)));
    // Σ_c q_c (v_c − μ)². Every term is of the size of s.
    const spread = tf.add(tf.sub(tf.matMul(rest, tf.square(V)), tf.mul(2, tf.mul(mu, mean))), tf.mul(others, tf.square(mu)));
    return tf.add(ofTop, tf.relu(spread));
  },
  times: (f, weights, V) => {
    const { top, likeliest, rest, others } = split(probabilities(f));
    const [own, mean] = [tf.matMul(top, V), tf.matMul(rest, V)];
    const mu = tf.add(tf.mul(likeliest, own), mean);
    const ofTop = weighted(tf.mul(likeliest, tf.sub(tf.mul(others, own), mean)) as tf.Tensor2D, weights);
    // Row c of Λ V is q_c (v_c − μ). The row of the likeliest class is p_t (s v_t − qᵀV).
    const ofRest = tf.sub(
      tf.mul(tf.reshape(tf.sum(weighted(rest, weights), 0), [-1, 1]), V),
      tf.matMul(tf.transpose(rest), weighted(mu as tf.Tensor2D, weights)),
    );
    return tf.add(tf.matMul(tf.transpose(top), ofTop), ofRest);
  },
  partialCols: (C) => C,
  // Σ_b w_b p_b p_bᵀ. Beside its diagonal, its entries are the negatives of the entries of Σ_b w_b Λ_b.
  partial: (f, weights) => {
    const p = probabilities(f);
    return tf.matMul(tf.transpose(weighted(p, weights)), p);
  },
  completed: ({ rows: C, data }) => {
    const whole = new Float64Array(C * C);
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let k = 0; k < C; k++) {
        if (k === c) continue;
        // The mean of both halves makes the result symmetric to the last bit.
        const coupling = ((data[c * C + k] as number) + (data[k * C + c] as number)) / 2;
        whole[c * C + k] = -coupling;
        sum += coupling;
      }
      whole[c * C + c] = sum;
    }
    return { rows: C, cols: C, data: whole };
  },
});
