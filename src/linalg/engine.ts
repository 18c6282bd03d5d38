/**
 * Linear algebra behind one interface. All engines give the same results up to rounding: what goes in is checked, what comes out
 * is put in order and given its signs in one place (`operations.ts`), so that an engine only brings the arithmetic (`create.ts`).
 *
 * Accuracy, all engines in float64, ε = 2⁻⁵² and Frobenius norms: decompositions are backward stable, that is, ‖A V − V Λ‖,
 * ‖A‖ ‖VᵀV − I‖ and ‖A − L Lᵀ‖ are at most 10 n ε ‖A‖. So small eigenvalues have that absolute, not a relative, error, and
 * eigenvectors of eigenvalues that are closer than that are any basis of their common space. Cost O(n³).
 * Reference: Golub & Van Loan 2013, sections 3.1, 4.2 and 8.3.
 */
import type { either as E, taskEither as TE } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import type { Matrix } from '../types.js';

/** A = V diag(λ) Vᵀ. */
export interface SymmetricEigen {
  /** λ [n], ascending. */
  readonly values: Float64Array;
  /** V [n, n]: orthonormal columns, column j belonging to value j. Of each column the largest component is positive. */
  readonly vectors: Matrix;
}

/** Which of the two triangular systems. */
export interface TriangularOptions {
  /** Lᵀ X = B instead of L X = B. Default false. */
  readonly transposed?: boolean;
}

/**
 * What every engine can do. Each gives `InvalidInput` for matrices that are empty or whose sizes don't fit, `NotFinite` for NaN or
 * infinity in them or in the result, and `Backend` where the engine itself fails.
 */
export interface LinalgOperations {
  /** Eigenvalues and eigenvectors of a symmetric matrix; `InvalidInput` for one that is not symmetric. */
  symmetricEigen(a: Matrix): E.Either<LaplaceError, SymmetricEigen>;
  /**
   * The lower triangular L [n, n] with A = L Lᵀ and a positive diagonal. `NotPositiveDefinite` where there is none; a matrix that
   * is singular up to rounding may go either way.
   */
  cholesky(a: Matrix): E.Either<LaplaceError, Matrix>;
  /**
   * X [n, k] with L X = B, or Lᵀ X = B. L [n, n] is lower triangular: what is above its diagonal is not read.
   * `InvalidInput` for a diagonal with a zero.
   */
  triangularSolve(l: Matrix, b: Matrix, options?: TriangularOptions): E.Either<LaplaceError, Matrix>;
  /** log det A of a positive definite matrix, 2 Σ log L_ii: finite also where det A is out of range. Errors of `cholesky`. */
  logDeterminant(a: Matrix): E.Either<LaplaceError, number>;
  /** A B. */
  multiply(a: Matrix, b: Matrix): E.Either<LaplaceError, Matrix>;
}

/** Where linear algebra can run, fastest first. */
export const ENGINES = ['tensorflow', 'wasm', 'javascript'] as const;

export type EngineName = (typeof ENGINES)[number];

/** Linear algebra on this thread: a call returns when it is done. */
export interface LinalgEngine extends LinalgOperations {
  readonly name: EngineName;
}

type RightOf<T> = T extends E.Right<infer A> ? A : never;

/** The same operations for whoever can wait: several run at a time where there are cores, and elsewhere nothing blocks meanwhile. */
export type AsyncLinalgOperations = {
  readonly [K in keyof LinalgOperations]: (
    ...args: Parameters<LinalgOperations[K]>
  ) => TE.TaskEither<LaplaceError, RightOf<ReturnType<LinalgOperations[K]>>>;
};

/** An `AsyncLinalgEngine` at work: it holds workers, say, until it is closed. */
export interface LinalgSession extends AsyncLinalgOperations {
  /** Ends what is running, whose tasks then give `Backend`, and lets go of everything. May be called again. */
  close(): void;
}

/** Linear algebra that is waited for, as it runs elsewhere or several at a time. A value like any other: nothing is held before `open`. */
export interface AsyncLinalgEngine {
  readonly name: EngineName;
  /** Begins to work; whoever opens a session closes it. */
  open(): LinalgSession;
}
