/** Checks matrices before an engine gets them. */
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import { symmetricPart } from './matrix.js';

type Checked = E.Either<LaplaceError, Matrix>;

/** a_ij and a_ji may differ by this share of the largest entry. Float64 sums in another order differ by far less. */
const SYMMETRY_TOLERANCE = 1e-10;

/** Checks that a matrix is square, finite and symmetric. Gives a copy whose halves are equal to the last bit. */
export const symmetric = (a: Matrix): Checked => F.pipe(square(a), E.chain(finite()), E.chain(equalHalves));

/** Checks that a lower triangular matrix is square, finite and invertible. What is above its diagonal need not be zero. */
export const triangular = (l: Matrix): Checked => F.pipe(square(l), E.chain(finite()), E.chain(noZeroOnDiagonal));

/** Checks that a matrix is not empty, has as many entries as its size says, and is finite. */
export const dense = (a: Matrix): Checked => F.pipe(whole(a), E.chain(finite()));

/** Checks that `a` has as many columns as `b` has rows. */
export const fitting = (a: Matrix, b: Matrix): E.Either<LaplaceError, [Matrix, Matrix]> =>
  a.cols === b.rows
    ? E.right([a, b])
    : invalid('The sizes of the matrices do not fit', `[${a.rows}, ${a.cols}] and [${b.rows}, ${b.cols}]`, 'equal inner sizes');

/** Checks that every entry is finite. A loop does it, as a call for every entry takes longer than some of the operations. */
export const finite =
  (what = 'The matrix') =>
  (a: Matrix): Checked => {
    const { cols, data } = a;
    for (let i = 0; i < data.length; i++) {
      if (Number.isFinite(data[i])) continue;
      const found = `${data[i]} in row ${Math.floor(i / cols)}, column ${i % cols}`;
      return E.left(laplaceError('NotFinite', { what: `${what} holds a number that is not finite`, found }));
    }
    return E.right(a);
  };

/** The largest |a_ij|. */
export function largestEntry({ data }: Matrix): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i] as number));
  return largest;
}

const invalid = (what: string, found: string, expected?: string): E.Either<LaplaceError, never> =>
  E.left(laplaceError('InvalidInput', { what, found, ...(expected === undefined ? {} : { expected }) }));

const describe = ({ rows, cols, data }: Matrix): string => `${rows} x ${cols} with ${data.length} entries`;

const whole = (a: Matrix): Checked =>
  a.rows > 0 && a.cols > 0 && a.data.length === a.rows * a.cols
    ? E.right(a)
    : invalid(
        'The matrix is empty, or its size and its number of entries differ',
        describe(a),
        'rows x cols entries, at least one',
      );

const square = (a: Matrix): Checked =>
  a.rows > 0 && a.rows === a.cols && a.data.length === a.rows * a.cols
    ? E.right(a)
    : invalid('The matrix is not square', describe(a), 'n x n, n >= 1');

function equalHalves(a: Matrix): Checked {
  const { rows: n, data } = a;
  const tolerance = SYMMETRY_TOLERANCE * largestEntry(a);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const [low, high] = [data[i * n + j] as number, data[j * n + i] as number];
      if (Math.abs(low - high) > tolerance) {
        return invalid('The matrix is not symmetric', `${low} in row ${i}, column ${j} and ${high} in row ${j}, column ${i}`);
      }
    }
  }
  return E.right(symmetricPart(a));
}

function noZeroOnDiagonal(l: Matrix): Checked {
  for (let i = 0; i < l.rows; i++) {
    if (l.data[i * (l.rows + 1)] === 0) return invalid('The triangular matrix is singular', `0 on the diagonal, in row ${i}`);
  }
  return E.right(l);
}
