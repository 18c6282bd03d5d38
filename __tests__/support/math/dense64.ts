/** Matrices as nested float64 rows, written from definitions: what results are checked against. */
import { inverse as invert, LuDecomposition, Matrix as MlMatrix } from 'ml-matrix';

export type Rows = ReadonlyArray<ReadonlyArray<number>>;

const ml = (a: Rows): MlMatrix => new MlMatrix(a.map((row) => [...row]));

export const product = (...factors: [Rows, ...Rows[]]): number[][] =>
  factors
    .map(ml)
    .reduce((a, b) => a.mmul(b))
    .to2DArray();

export const transposed = (a: Rows): number[][] => ml(a).transpose().to2DArray();

export const inverse = (a: Rows): number[][] => invert(ml(a)).to2DArray();

export const kron = (a: Rows, b: Rows): number[][] => ml(a).kroneckerProduct(ml(b)).to2DArray();

export const identity = (n: number): number[][] => MlMatrix.eye(n).to2DArray();

/** Σ_k scale_k · A_k. */
export const combination = (...terms: ReadonlyArray<readonly [scale: number, a: Rows]>): number[][] =>
  (terms[0] as readonly [number, Rows])[1].map((row, i) =>
    row.map((_, j) => terms.reduce((sum, [scale, a]) => sum + scale * (a[i]?.[j] as number), 0)),
  );

export const plus = (a: Rows, b: Rows): number[][] => combination([1, a], [1, b]);

/** x yᵀ. */
export const outer = (x: ReadonlyArray<number>, y: ReadonlyArray<number>): number[][] => x.map((v) => y.map((w) => v * w));

/** Mean of matrices. */
export const meanOf = (matrices: ReadonlyArray<Rows>): number[][] =>
  combination(...matrices.map((a) => [1 / matrices.length, a] as const));

/** log |det A|, by LU. */
export const logDet = (a: Rows): number =>
  new LuDecomposition(ml(a)).upperTriangularMatrix.diagonal().reduce((sum, v) => sum + Math.log(Math.abs(v)), 0);

/** Precision of one layer's weights, materialised: row-major vec(W), so kron(A, G). */
export function layerPrecision(A: Rows, G: Rows, N: number, tau: number, damping: 'exact' | 'factored'): number[][] {
  const [n, m] = [A.length, G.length];
  if (damping === 'exact') return combination([N, kron(A, G)], [tau, identity(n * m)]);
  const damped = (a: Rows): number[][] => combination([Math.sqrt(N), a], [Math.sqrt(tau), identity(a.length)]);
  return kron(damped(A), damped(G));
}
