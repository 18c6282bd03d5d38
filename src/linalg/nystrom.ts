/**
 * The Nyström approximation of a positive semi-definite G [m, m] from a few products with it, Y = G Ω with Ω [m, l]:
 *
 *   Y (Ωᵀ Y)⁺ Yᵀ ⪯ G.
 *
 * The result is the eigenvalues and eigenvectors of this approximation, cut off at the rank that was asked for. With Gaussian Ω
 * the expected error is near the error of the best approximation of a slightly lower rank. With Ω = I the approximation is G
 * itself. Cost O(m l²) in float64; G is never made. Reference: Halko, Martinsson & Tropp 2011, section 5.4; Tropp, Yurtsever,
 * Udell & Cevher 2017.
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import { javascriptEngine } from './javascript.js';
import { matrix, multiply, symmetricPart, transpose } from './matrix.js';

/** The matrix B diag(λ) Bᵀ. */
export interface LowRankPart {
  /** λ [r] > 0, descending. */
  readonly values: Float64Array;
  /** B [m, r], orthonormal columns. */
  readonly vectors: Matrix;
}

/** Sums of float32 products are off by a few 2⁻²³ of the largest eigenvalue. Eigenvalues below l times this error are noise. */
const ROUNDING = 2 ** -23;

/**
 * The approximation of G.
 *
 * @param sketch Y = G Ω [m, l].
 * @param omega Ω [m, l].
 * @param rank the highest rank that the result may have.
 */
export const nystrom = (sketch: Matrix, omega: Matrix, rank: number): E.Either<LaplaceError, LowRankPart> =>
  F.pipe(
    javascriptEngine.symmetricEigen(symmetricPart(multiply(transpose(omega), sketch))),
    // F F^T = Y (Ωᵀ Y)⁺ Yᵀ, F [m, l].
    E.map((core) => {
      const chosen = largest(core.values, sketch.cols);
      return multiply(
        sketch,
        scaledColumns(core.vectors, chosen, (j) => 1 / Math.sqrt(core.values[j] as number)),
      );
    }),
    E.bindTo('root'),
    E.bind('inner', ({ root }) =>
      root.cols === 0
        ? E.right({ values: new Float64Array(0), vectors: root })
        : javascriptEngine.symmetricEigen(symmetricPart(multiply(transpose(root), root))),
    ),
    E.map(({ root, inner }) => {
      const chosen = largest(inner.values, rank);
      const turned = scaledColumns(inner.vectors, chosen, (j) => 1 / Math.sqrt(inner.values[j] as number));
      const values = Float64Array.from(chosen, (j) => inner.values[j] as number);
      return { values, vectors: root.cols === 0 ? root : multiply(root, turned) };
    }),
  );

/** Indices of the eigenvalues that are above the noise, the largest first, at most `most` of them. `values` ascend. */
function largest(values: Float64Array, most: number): ReadonlyArray<number> {
  const top = values[values.length - 1] ?? 0;
  const noise = values.length * ROUNDING * Math.abs(top);
  return Array.from(values, (_, j) => values.length - 1 - j)
    .filter((j) => (values[j] as number) > noise)
    .slice(0, most);
}

/** The chosen columns, each times its factor. */
function scaledColumns({ rows, cols, data }: Matrix, chosen: ReadonlyArray<number>, factor: (j: number) => number): Matrix {
  const out = new Float64Array(rows * chosen.length);
  chosen.forEach((j, to) => {
    const scale = factor(j);
    for (let i = 0; i < rows; i++) out[i * chosen.length + to] = scale * (data[i * cols + j] as number);
  });
  return matrix(rows, chosen.length, out);
}
