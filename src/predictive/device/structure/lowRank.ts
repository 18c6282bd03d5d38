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
import { laplaceError } from '../../../errors.js';
import { timesTransposed, transposedTimes } from '../../../network/matmul.js';
import type { Posterior, PosteriorLayer } from '../../../posterior/posterior.js';
import { hasRank, inverseCapacities, type RankParts, rootOf, rowPrecisions } from '../../../posterior/structure/lowRank.js';
import { noDirections } from '../../../posterior/variances.js';
import { noiseAt, noiseNormals } from '../../../random/noise.js';
import { directional } from './directional.js';
import type { DeviceForm, DeviceStructure, Hold } from './structure.js';

/** The most numbers of one chunk of rows: 32 MiB. */
const LOW_RANK_CHUNK = 2 ** 23;
/** The most outputs whose covariance is made. */
const MOST_OUTPUTS = 4096;

type LowRankLayer = Extract<PosteriorLayer, { readonly structure: 'lowRank' }>;

export const lowRank: DeviceStructure<LowRankLayer> = {
  upload: (posterior, layer, temperature, hold) =>
    hasRank(layer) ? uploadRank(posterior, layer, temperature, hold) : directional.upload(posterior, layer, temperature, hold),
  // The vectors, the factor and its root, a root for each row, and the chunks that make the table of variances.
  numbers: (layer) => {
    if (!hasRank(layer)) return directional.numbers(layer);
    const { n, m, parts } = layer;
    const r = parts.rankValues.rows;
    return n * n + 3 * n * m + 3 * m * r + 2 * n * r * r + 2 * LOW_RANK_CHUNK;
  },
};

/** Uploads a layer that has a low rank. */
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
    // L⁻¹ of row i is [i, k, j]; as [j, i, k], L⁻ᵀ of all rows is one matrix side by side.
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

  /** Of some rows: D_i⁻¹ [k, C], and Z L_i⁻ᵀ side by side [C, k·r]. */
  const rows = (first: number, count: number) => {
    const part = (values: tf.Tensor2D): tf.Tensor2D => tf.slice(values, [first, 0], [count, 1]);
    const inverse = tf.div(1, tf.add(tf.mul(part(s), delta), part(t))) as tf.Tensor2D;
    const side = tf.reshape(tf.slice(roots, [0, first, 0], [r, count, r]), [r, count * r]) as tf.Tensor2D;
    return { scale: part(s), inverse, turned: tf.matMul(Z, side) };
  };
  const chunks = (numbers: number): ReadonlyArray<readonly [first: number, count: number]> => {
    const step = Math.max(1, Math.floor(LOW_RANK_CHUNK / numbers));
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

  const variances = (a: tf.Tensor2D): tf.Tensor => {
    table ??= hold(tf.tidy(makeTable));
    return tf.matMul(tf.square(tf.matMul(a, U)), table);
  };
  const covariances = (a: tf.Tensor2D): tf.Tensor => {
    if (m > MOST_OUTPUTS) throw tooManyOutputs(name, m);
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
      return tf.mul(temperature, whole);
    });
  };
  /** Deviations of W [n, C] from normals for ε and others that η is taken of, so that a draw depends on no choice of eigenvectors. */
  const deviations = (noise: tf.Tensor2D, other: tf.Tensor2D): tf.Tensor =>
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
    });
  return {
    directions: () => {
      throw noDirections(name);
    },
    deviation: (noise) => {
      const part = (i: number): tf.Tensor2D => tf.tensor2d(noiseNormals(noiseAt(noise, i), n * m), [n, m]);
      return tf.tidy(() => tf.reshape(deviations(part(0), part(1)), [-1]));
    },
    outputs: (a, want) => (want === 'variance' ? variances(a) : covariances(a)),
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
    expected: `at most ${MOST_OUTPUTS} outputs`,
    remedy: 'predict needs their variances alone; sampleModels draws whole networks.',
  });
