/**
 * The steps of each operation before the arithmetic (checks) and after it (order, signs, errors). They are the same for all
 * engines, on this thread and elsewhere.
 */
import { either as E, function as F, option as O } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import { canonical, type Decomposition } from './canonical.js';
import { dense, finite, fitting, symmetric, triangular } from './checks.js';
import type { SymmetricEigen, TriangularOptions } from './engine.js';
import { matrix } from './matrix.js';

/**
 * The arithmetic. Arguments are finite and their sizes fit. A symmetric matrix has equal halves and may be overwritten. May
 * throw.
 */
export interface Kernels {
  symmetricEigen(a: Matrix): Decomposition;
  /** L, with zeros above the diagonal; none where the matrix is not positive definite. */
  cholesky(a: Matrix): O.Option<Matrix>;
  triangularSolve(l: Matrix, b: Matrix, transposed: boolean): Matrix;
  multiply(a: Matrix, b: Matrix): Matrix;
}

/** `before` turns the operation's arguments into the kernel's, `after` the kernel's result into the operation's. */
export interface Operation<K extends keyof Kernels, Args extends ReadonlyArray<unknown>, A> {
  readonly kernel: K;
  readonly before: (...args: Args) => E.Either<LaplaceError, Parameters<Kernels[K]>>;
  readonly after: (result: ReturnType<Kernels[K]>) => E.Either<LaplaceError, A>;
}

type Either<A> = E.Either<LaplaceError, A>;

const oneSymmetric = (a: Matrix): Either<[Matrix]> =>
  F.pipe(
    symmetric(a),
    E.map((own): [Matrix] => [own]),
  );

const result = (a: Matrix): Either<Matrix> =>
  F.pipe(
    finite('The result')(a),
    E.map(({ rows, cols, data }) => matrix(rows, cols, data)),
  );

export const symmetricEigen: Operation<'symmetricEigen', [a: Matrix], SymmetricEigen> = {
  kernel: 'symmetricEigen',
  before: oneSymmetric,
  after: (decomposition) => {
    const { values, vectors } = canonical(decomposition);
    return F.pipe(
      result({ rows: 1, cols: values.length, data: values }),
      E.chain(() => result(vectors)),
      E.map(() => Object.freeze({ values, vectors })),
    );
  },
};

export const cholesky: Operation<'cholesky', [a: Matrix], Matrix> = {
  kernel: 'cholesky',
  before: oneSymmetric,
  // Some engines give NaN for a matrix that is not positive definite.
  after: (l) => F.pipe(l, O.chain(F.flow(result, O.fromEither)), E.fromOption(notPositiveDefinite)),
};

export const logDeterminant: Operation<'cholesky', [a: Matrix], number> = {
  ...cholesky,
  after: F.flow(
    cholesky.after,
    E.map(({ rows: n, data }) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += Math.log(data[i * (n + 1)] as number);
      return 2 * sum;
    }),
  ),
};

export const triangularSolve: Operation<'triangularSolve', [l: Matrix, b: Matrix, options?: TriangularOptions], Matrix> = {
  kernel: 'triangularSolve',
  before: (l, b, { transposed = false } = {}) =>
    F.pipe(
      both(triangular(l), dense(b)),
      E.map(([lower, right]): [Matrix, Matrix, boolean] => [lower, right, transposed]),
    ),
  after: result,
};

export const multiply: Operation<'multiply', [a: Matrix, b: Matrix], Matrix> = {
  kernel: 'multiply',
  before: (a, b) => both(dense(a), dense(b)),
  after: result,
};

/** Both matrices, if each passes its check and their sizes fit. */
const both = (a: Either<Matrix>, b: Either<Matrix>): Either<[Matrix, Matrix]> =>
  F.pipe(
    a,
    E.chain((one) =>
      F.pipe(
        b,
        E.chain((other) => fitting(one, other)),
      ),
    ),
  );

function notPositiveDefinite(): LaplaceError {
  return laplaceError('NotPositiveDefinite', {
    what: 'The matrix is not positive definite',
    expected: 'eigenvalues > 0, by more than rounding',
    remedy: 'Add to its diagonal (as a prior precision does), or use its symmetric eigendecomposition.',
  });
}
