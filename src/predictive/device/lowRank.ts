/**
 * A last layer whose output factor is diagonal plus low rank (`posterior/lowRank.ts`) on the device. Row i of U_Aᵀ W has the covariance
 *
 *   Σ_i = T (D_i⁻¹ − H_i Z K_i⁻¹ Zᵀ H_i),   D_i = s_i diag(δ) + t_i,   H_i = √s_i D_i⁻¹,
 *
 * so that with u = (a U_A)² an example's outputs have Σ_i u_i Σ_i. Of all Σ_i the diagonals are a table V [n, C], made once
 * (2 n C r² operations, in chunks): variances are u V, a product. Covariances take 2 n C² r + 2 B n C² operations and n C² numbers in
 * chunks. A draw of the rows is D_i^{-1/2} (ε − X_i K_i⁻¹ (X_iᵀ ε + η)), X_i = D_i^{1/2} H_i Z, with ε [C] and η [r] standard normal:
 * 6 n C r operations. Memory: n² + C r + n r² numbers, V n C more. Nothing is of size C², but a covariance that is asked for.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../../errors.js';
import { LAYER_CHUNK, MOST_JOINT_OUTPUTS } from '../../limits.js';
import { timesTransposed, transposedTimes } from '../../network/matmul.js';
import { inverseCapacities, type LowRankLayer, rootOf, rowPrecisions } from '../../posterior/lowRank.js';
import type { Posterior } from '../../posterior/posterior.js';

/** What of such a layer is on the device. Everything is allocated inside the caller's `tf.tidy`. */
export interface DeviceLowRank {
  /** Variances [B, C] of outputs, from the layer's inputs a [B, n]. */
  readonly variances: (a: tf.Tensor2D) => tf.Tensor2D;
  /** Covariances [B, C, C]. Throws `InvalidInput` for more outputs than can be. */
  readonly covariances: (a: tf.Tensor2D) => tf.Tensor3D;
  /**
   * Deviations of W from its mean, [n, C], from normals [n, C] and [n, C]: the one for ε, and one that η is taken of, so that a draw
   * depends on no choice of eigenvectors.
   */
  readonly deviations: (noise: tf.Tensor2D, other: tf.Tensor2D) => tf.Tensor2D;
  readonly dispose: () => void;
}

/** Uploads the layer at temperature T. `hold` is what keeps a tensor: `tf.keep`, or nothing, for as long as the caller's `tf.tidy`. */
export function uploadLowRank(
  posterior: Posterior,
  layer: LowRankLayer,
  temperature: number,
  hold: <T extends tf.Tensor>(t: T) => T,
): DeviceLowRank {
  const { n, m, name, lowRank, input, gradient } = layer;
  const r = lowRank.values.length;
  const { scale, shift } = rowPrecisions(posterior, layer);
  const column = (values: Float64Array): tf.Tensor2D => tf.tensor2d(Float32Array.from(values), [values.length, 1]);
  const own = tf.tidy(() => {
    // L⁻¹ of row i is [i, k, j]; as [j, i, k], L⁻ᵀ of all rows is one matrix side by side.
    const inverses = tf.tensor3d(Float32Array.from(inverseCapacities(posterior, layer)), [n, r, r]);
    return {
      U: tf.tensor2d(Float32Array.from((input.vectors as { data: Float64Array }).data), [n, n]),
      B: tf.tensor2d(Float32Array.from(lowRank.vectors.data), [m, r]),
      Z: tf.tensor2d(Float32Array.from(rootOf(lowRank).data), [m, r]),
      delta: tf.tensor2d(Float32Array.from(gradient.values), [1, m]),
      roots: tf.transpose(inverses, [2, 0, 1]) as tf.Tensor3D,
      scale: column(scale),
      shift: column(shift),
    };
  });
  for (const t of Object.values(own)) hold(t);
  const { U, B, Z, delta, roots, scale: s, shift: t } = own;
  let table: tf.Tensor2D | undefined;

  /** Of some rows: D_i⁻¹ [k, C], and Z L_i⁻ᵀ side by side [C, k·r]. */
  const rows = (first: number, count: number) => {
    const part = (values: tf.Tensor2D): tf.Tensor2D => tf.slice(values, [first, 0], [count, 1]);
    const inverse = tf.div(1, tf.add(tf.mul(part(s), delta), part(t))) as tf.Tensor2D;
    const side = tf.reshape(tf.slice(roots, [0, first, 0], [r, count, r]), [r, count * r]) as tf.Tensor2D;
    return { scale: part(s), inverse, turned: tf.matMul(Z, side) };
  };
  const chunks = (numbers: number): ReadonlyArray<readonly [first: number, count: number]> => {
    const step = Math.max(1, Math.floor(LAYER_CHUNK / numbers));
    return Array.from({ length: Math.ceil(n / step) }, (_, i) => [i * step, Math.min(step, n - i * step)]);
  };

  const makeTable = (): tf.Tensor2D => {
    const parts = chunks(m * r).map(([first, count]) =>
      tf.tidy(() => {
        const { scale: own, inverse, turned } = rows(first, count);
        const squares = tf.sum(tf.reshape(tf.square(turned), [m, count, r]), 2);
        const pulled = tf.mul(tf.mul(own, inverse), tf.transpose(squares));
        // D_i⁻¹ (1 − …), which rounding must not take below 0.
        return tf.mul(temperature, tf.mul(inverse, tf.relu(tf.sub(1, pulled))));
      }),
    );
    return (parts.length === 1 ? parts[0] : tf.concat(parts, 0)) as tf.Tensor2D;
  };

  return {
    variances: (a) => {
      table ??= hold(tf.tidy(makeTable));
      return tf.matMul(tf.square(tf.matMul(a, U)), table);
    },
    covariances: (a) => {
      if (m > MOST_JOINT_OUTPUTS) throw tooManyOutputs(name, m);
      return tf.tidy(() => {
        const u = tf.square(tf.matMul(a, U)) as tf.Tensor2D;
        const size = u.shape[0];
        let sum: tf.Tensor = tf.zeros([size, m * m]);
        let diagonal: tf.Tensor = tf.zeros([size, m]);
        for (const [first, count] of chunks(m * Math.max(m, r))) {
          [sum, diagonal] = tf.tidy(() => {
            const { scale: own, inverse, turned } = rows(first, count);
            const half = tf.mul(tf.sqrt(own), inverse);
            const byRow = tf.transpose(tf.reshape(turned, [m, count, r]), [1, 0, 2]);
            const pull = tf.mul(tf.expandDims(half, 2), byRow) as tf.Tensor3D;
            const weights = tf.slice(u, [0, first], [size, count]);
            const pulled = tf.reshape(tf.matMul(pull, pull, false, true), [count, m * m]) as tf.Tensor2D;
            return [tf.sub(sum, tf.matMul(weights, pulled)), tf.add(diagonal, tf.matMul(weights, inverse))];
          });
        }
        const whole = tf.add(tf.reshape(sum, [size, m, m]), tf.mul(tf.expandDims(diagonal, 2), tf.eye(m)));
        return tf.mul(temperature, whole) as tf.Tensor3D;
      });
    },
    deviations: (noise, other) =>
      tf.tidy(() => {
        // [n, C] are large: none is held for longer than it is needed.
        const precision = (): tf.Tensor => tf.add(tf.mul(s, delta), t);
        // D^{1/2} H, of which X_i = diag · Z.
        const pull = (): tf.Tensor => tf.tidy(() => tf.sqrt(tf.div(s, precision())));
        const epsilon = transposedTimes(U, noise);
        const seen = tf.tidy(() => {
          const eta = transposedTimes(U, tf.matMul(other, B));
          return tf.reshape(tf.add(tf.matMul(tf.mul(pull(), epsilon) as tf.Tensor2D, Z), eta), [n, 1, r]) as tf.Tensor3D;
        });
        // K_i⁻¹ = L_i⁻ᵀ L_i⁻¹; L_i⁻ᵀ is roots[:, i, :].
        const back = tf.transpose(roots, [1, 0, 2]) as tf.Tensor3D;
        const solved = tf.reshape(tf.matMul(tf.matMul(seen, back), back, false, true), [n, r]) as tf.Tensor2D;
        const pulled = tf.tidy(() => tf.mul(pull(), timesTransposed(solved, Z)));
        const rowsOfW = tf.tidy(() => tf.mul(tf.sqrt(tf.div(temperature, precision())), tf.sub(epsilon, pulled)));
        tf.dispose([epsilon, pulled]);
        return tf.matMul(U, rowsOfW as tf.Tensor2D);
      }),
    dispose: () => {
      tf.dispose(own);
      table?.dispose();
      table = undefined;
    },
  };
}

const tooManyOutputs = (layer: string, C: number) =>
  laplaceError('InvalidInput', {
    what: `A covariance of ${C} outputs is too large`,
    layer,
    found: `${C}² numbers an example`,
    expected: `at most ${MOST_JOINT_OUTPUTS} outputs`,
    remedy: 'predict needs their variances alone; sampleModels draws whole networks.',
  });
