/**
 * Linear algebra behind one interface, A = V diag(λ) Vᵀ for symmetric A [n, n], and what all engines share: inputs are checked,
 * eigenvalues put in order and signs fixed here, once. An engine only brings the decomposition itself (`decompose`).
 *
 * Accuracy, all engines: ‖A V − V Λ‖ and ‖A‖ ‖VᵀV − I‖ are at most 10 n ε ‖A‖ (Frobenius norm, ε = 2⁻⁵²): small eigenvalues have
 * that absolute, not a relative, error. Eigenvectors of eigenvalues that are closer than that are any basis of their common space.
 * Cost O(n³), blocking. Reference: Golub & Van Loan 2013, section 8.3.
 */
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import { matrix, symmetricPart } from './matrix.js';

/** A = V diag(λ) Vᵀ. */
export interface SymmetricEigen {
  /** λ [n], ascending. */
  readonly values: Float64Array;
  /** V [n, n]: orthonormal columns, column j belonging to value j. Of each column the largest component is positive. */
  readonly vectors: Matrix;
}

/** Where the linear algebra runs. */
export interface LinalgEngine {
  readonly name: 'tensorflow' | 'javascript';
  /**
   * Eigenvalues and eigenvectors of a symmetric matrix.
   *
   * @returns `InvalidInput` for a matrix that is empty, not square or not symmetric, `NotFinite` for one with NaN or infinity,
   *   `Backend` where the engine itself fails.
   */
  symmetricEigen(a: Matrix): E.Either<LaplaceError, SymmetricEigen>;
}

/** A decomposition by an engine's own means: any order, any signs, may throw. Its argument is symmetric, finite and its own. */
export type Decompose = (a: Matrix) => { readonly values: ArrayLike<number>; readonly vectors: Matrix };

/** a_ij and a_ji may differ by this much of the largest entry: what float64 sums in another order leave, with room to spare. */
const SYMMETRY_TOLERANCE = 1e-10;

/** Components this close to a column's largest count as large: the first of them has the sign, whatever the engine's rounding. */
const TIE_TOLERANCE = 1e-6;

/** An engine from its decomposition. */
export const createEngine = (name: LinalgEngine['name'], decompose: Decompose): LinalgEngine =>
  Object.freeze({
    name,
    symmetricEigen: (a: Matrix) =>
      F.pipe(
        checked(a),
        E.chain((symmetric) => E.tryCatch(() => decompose(symmetric), failure(name))),
        E.map(canonical),
        E.filterOrElse(isFiniteEigen, () => failure(name)('a result that is not finite')),
      ),
  });

/** The matrix with equal halves, or what is wrong with it. */
function checked(a: Matrix): E.Either<LaplaceError, Matrix> {
  const { rows: n, cols, data } = a;
  if (n !== cols || n === 0 || data.length !== n * cols) {
    const found = `${n} x ${cols} with ${data.length} entries`;
    return E.left(laplaceError('InvalidInput', { what: 'The matrix is not square', found, expected: 'n x n, n >= 1' }));
  }
  const broken = data.findIndex((v) => !Number.isFinite(v));
  if (broken >= 0) {
    const found = `${data[broken]} in row ${Math.floor(broken / n)}, column ${broken % n}`;
    return E.left(laplaceError('NotFinite', { what: 'The matrix holds a number that is not finite', found }));
  }
  const tolerance = SYMMETRY_TOLERANCE * data.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const [low, high] = [data[i * n + j] as number, data[j * n + i] as number];
      if (Math.abs(low - high) > tolerance) {
        const found = `${low} in row ${i}, column ${j} and ${high} on the other side`;
        return E.left(laplaceError('InvalidInput', { what: 'The matrix is not symmetric', found }));
      }
    }
  }
  return E.right(symmetricPart(a));
}

/** Columns in the order of their eigenvalues, each with its sign. */
function canonical({ values, vectors }: ReturnType<Decompose>): SymmetricEigen {
  const n = values.length;
  const order = Array.from(values, (_, j) => j).sort((i, j) => (values[i] as number) - (values[j] as number));
  const signs = signsOf(vectors);
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    order.forEach((from, to) => {
      data[i * n + to] = (signs[from] as number) * (vectors.data[i * n + from] as number);
    });
  }
  return Object.freeze({ values: Float64Array.from(order, (j) => values[j] as number), vectors: matrix(n, n, data) });
}

/** Of each column the sign of its first large component. */
function signsOf({ rows, cols, data }: Matrix): Float64Array {
  const large = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) large[i % cols] = Math.max(large[i % cols] as number, Math.abs(data[i] as number));
  const signs = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const v = data[i * cols + j] as number;
      if (signs[j] === 0 && Math.abs(v) >= (1 - TIE_TOLERANCE) * (large[j] as number)) signs[j] = v < 0 ? -1 : 1;
    }
  }
  return signs;
}

const isFiniteEigen = ({ values, vectors }: SymmetricEigen): boolean =>
  values.every(Number.isFinite) && vectors.data.every(Number.isFinite);

const failure =
  (engine: string) =>
  (cause: unknown): LaplaceError =>
    laplaceError('Backend', {
      what: `The ${engine} engine could not decompose the matrix`,
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
