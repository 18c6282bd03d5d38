/**
 * The part of a positive semi-definite G [m, m] that a few products with it show: from Y = G Ω, Ω [m, l],
 *
 *   Y (Ωᵀ Y)⁺ Yᵀ ⪯ G,
 *
 * the Nyström approximation (Halko, Martinsson & Tropp 2011, section 5.4; Tropp, Yurtsever, Udell & Cevher 2017), cut off at the rank asked
 * for: eigenvalues and eigenvectors. With Gaussian Ω its expected error is near that of the best approximation of a slightly lower
 * rank; with Ω = I it is G itself. O(m l²), float64; G is never made.
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import { javascriptEngine } from './javascript.js';
import { matrix, multiply, symmetricPart, transpose } from './matrix.js';

/** B diag(λ) Bᵀ. */
export interface LowRankPart {
  /** λ [r] > 0, descending. */
  readonly values: Float64Array;
  /** B [m, r], orthonormal columns. */
  readonly vectors: Matrix;
}

/** Sums of float32 products are off by a few 2⁻²³ of the largest: what is smaller than l times that is noise. */
const ROUNDING = 2 ** -23;

/** The part of G of rank `rank` at most; sketch Y [m, l] = G Ω. */
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

/** Numbers of the eigenvalues that are more than noise, the largest first, at most so many; `values` ascend. */
function largest(values: Float64Array, most: number): ReadonlyArray<number> {
  const top = values[values.length - 1] ?? 0;
  const noise = values.length * ROUNDING * Math.abs(top);
  return Array.from(values, (_, j) => values.length - 1 - j)
    .filter((j) => (values[j] as number) > noise)
    .slice(0, most);
}

/** Those columns, each times a factor. */
function scaledColumns({ rows, cols, data }: Matrix, chosen: ReadonlyArray<number>, factor: (j: number) => number): Matrix {
  const out = new Float64Array(rows * chosen.length);
  chosen.forEach((j, to) => {
    const scale = factor(j);
    for (let i = 0; i < rows; i++) out[i * chosen.length + to] = scale * (data[i * cols + j] as number);
  });
  return matrix(rows, chosen.length, out);
}
