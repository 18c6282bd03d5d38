/**
 * The device form of a last layer whose output factor is diagonal plus low rank (`posterior/structure/lowRank.ts`). Row i of U_Aᵀ
 * W has the covariance
 *
 *   Σ_i = T (D_i⁻¹ − H_i Z K_i⁻¹ Zᵀ H_i),   D_i = s_i diag(δ) + t_i,   H_i = √s_i D_i⁻¹,
 *
 * With u = (a U_A)², the outputs of an example have the covariance Σ_i u_i Σ_i.
 *
 *   variances     u V, where row i of V [n, C] is the diagonal of Σ_i. V is made once, with 2 n C r² operations, in chunks.
 *   covariances   2 n C² r + 2 B n C² operations, and n C² numbers, in chunks.
 *   a draw        row i is √T D_i^{-1/2} (ε − X_i K_i⁻¹ (X_iᵀ ε + η)) with X_i = D_i^{1/2} H_i Z, and ε [C] and η [r] standard normal:
 *                 6 n C r operations.
 *
 * Memory: n² + C r + n r² numbers, and n C more for V. Only a covariance that is asked for has C² numbers.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../../../errors.js';
import { LAYER_CHUNK, MOST_JOINT_OUTPUTS } from '../../../limits.js';
import { concat } from '../../../network/concat.js';
import { timesTransposed, transposedTimes } from '../../../network/matmul.js';
import type { Posterior, PosteriorLayer } from '../../../posterior/posterior.js';
import { hasRank, inverseCapacities, type RankParts, rootOf, rowPrecisions } from '../../../posterior/structure/lowRank.js';
import { noDirections } from '../../../posterior/variances.js';
import { noiseAt, noiseNormals } from '../../../random/noise.js';
import { directional } from './directional.js';
import type { DeviceForm, DeviceStructure, Hold } from './structure.js';

type LowRankLayer = Extract<PosteriorLayer, { readonly structure: 'lowRank' }>;

export const lowRank: DeviceStructure<LowRankLayer> = {
  upload: (posterior, layer, temperature, hold) =>
    hasRank(layer) ? uploadRank(posterior, layer, temperature, hold) : directional.upload(posterior, layer, temperature, hold),
  under: (posterior, layer, temperature, form) =>
    hasRank(layer) ? uploadRank(posterior, layer, temperature, (t) => t) : directional.under(posterior, layer, temperature, form),
  // U_A; the table of variances, and two intermediate results of its size; B, Z and the copy that is turned; a root for each row, in
  // two orders; and the chunks of rows, which are alive in four copies for covariances and in two for variances.
  numbers: (layer, want) => {
    if (!hasRank(layer)) return directional.numbers(layer, want);
    const { n, m, parts } = layer;
    const r = parts.rankValues.rows;
    const row = m * (want === 'covariance' ? Math.max(m, r) : r);
    const chunk = Math.max(row, Math.min(n * row, LAYER_CHUNK));
    return n * n + 3 * n * m + 3 * m * r + 2 * n * r * r + (want === 'covariance' ? 4 : 2) * chunk;
  },
};

/** Uploads a layer whose G has a low rank part. */
function uploadRank(
  posterior: Posterior,
  layer: LowRankLayer & { readonly parts: RankParts },
  temperature: number,
  hold: Hold,
): DeviceForm {
  const { n, m, name, parts } = layer;
  const r = parts.rankValues.rows;
  const { scale, shift } = rowPrecisions(layer, posterior);
  const column = (values: Float64Array): tf.Tensor2D => tf.tensor2d(Float32Array.from(values), [values.length, 1]);
  const own = tf.tidy(() => {
    // The entries of L_i⁻¹ are [i, k, j]. Reordered to [j, i, k], the L_i⁻ᵀ of all rows lie side by side in one matrix.
    const inverses = tf.tensor3d(Float32Array.from(inverseCapacities(layer, posterior)), [n, r, r]);
    return {
      U: tf.tensor2d(Float32Array.from(parts.inputVectors.data), [n, n]),
      B: tf.tensor2d(Float32Array.from(parts.rankVectors.data), [m, r]),
      Z: tf.tensor2d(Float32Array.from(rootOf(parts).data), [m, r]),
      delta: tf.tensor2d(Float32Array.from(parts.diagonal.data), [1, m]),
      roots: tf.transpose(inverses, [2, 0, 1]) as tf.Tensor3D,
      scale: column(scale),
      shift: column(shift),
    };
  });
  for (const t of Object.values(own)) hold(t);
  const { U, B, Z, delta, roots, scale: s, shift: t } = own;
  let table: tf.Tensor2D | undefined;

  /** For k rows i from `first` on: s_i [k, 1], D_i⁻¹ [k, C], and Z L_i⁻ᵀ side by side, [C, k·r]. */
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
        // The diagonal of Σ_i / T is D_i⁻¹ (1 − pulled). Rounding must not take it below 0.
        return tf.mul(temperature, tf.mul(inverse, tf.relu(tf.sub(1, pulled))));
      }),
    );
    return concat(parts, 0) as tf.Tensor2D;
  };

  const variances = (u: tf.Tensor2D): tf.Tensor => {
    // A table that is not held ends with the tidy in which it was made.
    if (table === undefined || table.isDisposed) table = hold(tf.tidy(makeTable));
    return tf.matMul(u, table);
  };
  const covariances = (u: tf.Tensor2D): tf.Tensor => {
    if (m > MOST_JOINT_OUTPUTS) throw tooManyOutputs(name, m);
    return tf.tidy(() => {
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
      return tf.mul(temperature, whole);
    });
  };
  /**
   * A draw of W − M [n, C]. `noise` and `other` are standard normal [n, C]. `noise` gives ε, and `other` gives η. Both are turned
   * into the eigenbases, so that a draw does not depend on the choice of eigenvectors.
   */
  const deviations = (noise: tf.Tensor2D, other: tf.Tensor2D): tf.Tensor =>
    tf.tidy(() => {
      // Arrays [n, C] are large, so none is held longer than it is needed.
      const precision = (): tf.Tensor => tf.add(tf.mul(s, delta), t);
      // The diagonal of D_i^{1/2} H_i for every row i, [n, C]: X_i is this diagonal times Z.
      const pull = (): tf.Tensor => tf.tidy(() => tf.sqrt(tf.div(s, precision())));
      const epsilon = transposedTimes(U, noise);
      const seen = tf.tidy(() => {
        const eta = transposedTimes(U, tf.matMul(other, B));
        return tf.reshape(tf.add(tf.matMul(tf.mul(pull(), epsilon) as tf.Tensor2D, Z), eta), [n, 1, r]) as tf.Tensor3D;
      });
      // K_i⁻¹ = L_i⁻ᵀ L_i⁻¹, and L_i⁻ᵀ is roots[:, i, :].
      const back = tf.transpose(roots, [1, 0, 2]) as tf.Tensor3D;
      const solved = tf.reshape(tf.matMul(tf.matMul(seen, back), back, false, true), [n, r]) as tf.Tensor2D;
      const pulled = tf.tidy(() => tf.mul(pull(), timesTransposed(solved, Z)));
      const rowsOfW = tf.tidy(() => tf.mul(tf.sqrt(tf.div(temperature, precision())), tf.sub(epsilon, pulled)));
      tf.dispose([epsilon, pulled]);
      return tf.matMul(U, rowsOfW as tf.Tensor2D);
    });
  return {
    directions: () => {
      throw noDirections(name);
    },
    deviation: (noise) => {
      const part = (i: number): tf.Tensor2D => tf.tensor2d(noiseNormals(noiseAt(noise, i), n * m), [n, m]);
      return tf.tidy(() => tf.reshape(deviations(part(0), part(1)), [-1]));
    },
    squaredInputs: (a) => tf.tidy(() => tf.square(tf.matMul(a, U))),
    outputs: (u, want) => (want === 'variance' ? variances(u) : covariances(u)),
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
    remedy: 'Use predict, which needs only the variances, or sampleModels, which draws whole networks.',
  });
