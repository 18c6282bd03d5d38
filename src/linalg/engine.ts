/**
 * Linear algebra behind one interface. All engines give the same results up to rounding. Arguments are checked, and results get
 * their order and signs, in one place (`operations.ts`). So an engine brings only the arithmetic (`create.ts`).
 *
 * Accuracy, all engines in float64, ε = 2⁻⁵² and Frobenius norms: decompositions are backward stable, that is, ‖A V − V Λ‖,
 * ‖A‖ ‖VᵀV − I‖ and ‖A − L Lᵀ‖ are at most 10 n ε ‖A‖. So a small eigenvalue has this absolute error, not a relative one.
 * Eigenvectors of eigenvalues that are closer than this error are any basis of their common space. Cost O(n³).
 * Reference: Golub & Van Loan 2013, sections 3.1, 4.2 and 8.3.
 */
import type { either as E, taskEither as TE } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import type { Matrix } from '../types.js';

/** A = V diag(λ) Vᵀ. */
export interface SymmetricEigen {
  /** λ [n], ascending. */
  readonly values: Float64Array;
  /** V [n, n] with orthonormal columns; column j belongs to value j. The largest component of each column is positive. */
  readonly vectors: Matrix;
}

/** Which of the two triangular systems to solve. */
export interface TriangularOptions {
  /** Lᵀ X = B instead of L X = B. Default false. */
  readonly transposed?: boolean;
}

/**
 * The operations of every engine. Each gives `InvalidInput` for matrices that are empty or whose sizes do not fit, `NotFinite`
 * for NaN or infinity in an argument or in the result, and `Backend` if the engine itself fails.
 */
export interface LinalgOperations {
  /** Eigenvalues and eigenvectors of a symmetric matrix. `InvalidInput` for a matrix that is not symmetric. */
  symmetricEigen(a: Matrix): E.Either<LaplaceError, SymmetricEigen>;
  /**
   * The lower triangular L [n, n] with A = L Lᵀ and a positive diagonal. `NotPositiveDefinite` if there is none. A matrix that is
   * singular up to rounding may go either way.
   */
  cholesky(a: Matrix): E.Either<LaplaceError, Matrix>;
  /**
   * X [n, k] with L X = B, or Lᵀ X = B, for a lower triangular L [n, n]. Entries above its diagonal do not count. `InvalidInput`
   * if there is a zero on the diagonal.
   */
  triangularSolve(l: Matrix, b: Matrix, options?: TriangularOptions): E.Either<LaplaceError, Matrix>;
  /**
   * log det A = 2 Σ log L_ii of a positive definite matrix, finite even where det A is out of range. Fails as `cholesky` does.
   */
  logDeterminant(a: Matrix): E.Either<LaplaceError, number>;
  /** A B. */
  multiply(a: Matrix, b: Matrix): E.Either<LaplaceError, Matrix>;
}

/** The names of the engines, fastest first. */
export const ENGINES = ['tensorflow', 'wasm', 'javascript'] as const;

export type EngineName = (typeof ENGINES)[number];

/** Linear algebra on this thread. A call returns when the work is done. An engine of your own can have any name. */
export interface LinalgEngine extends LinalgOperations {
  readonly name: string;
}

type RightOf<T> = T extends E.Right<infer A> ? A : never;

/**
 * The same operations as tasks. Several tasks run at a time if there are cores for them. Tasks that run elsewhere do not block
 * this thread.
 */
export type AsyncLinalgOperations = {
  readonly [K in keyof LinalgOperations]: (
    ...args: Parameters<LinalgOperations[K]>
  ) => TE.TaskEither<LaplaceError, RightOf<ReturnType<LinalgOperations[K]>>>;
};

/** An `AsyncLinalgEngine` at work. It may hold resources (workers, for example) until it is closed. */
export interface LinalgSession extends AsyncLinalgOperations {
  /** Ends the running tasks, which then give `Backend`, and releases everything. May be called again. */
  close(): void;
}

/**
 * Linear algebra as tasks, which run elsewhere or several at a time. The engine is a plain value: nothing is held before `open`.
 */
export interface AsyncLinalgEngine {
  readonly name: string;
  /** Opens a session. Whoever opens it closes it. */
  open(): LinalgSession;
}
