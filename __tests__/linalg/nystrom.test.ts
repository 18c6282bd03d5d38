/** Nyström against G itself, and many small Cholesky roots against the engine's. */
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { nystrom } from '../../src/linalg/nystrom.js';
import { choleskyRoots, inverseRoots, logDeterminants } from '../../src/linalg/small.js';
import { identity, logDet, product, type Rows, transposed } from '../support/math/dense64.js';
import { right } from '../support/math/laplace.js';
import { diagonalMatrix } from '../support/math/lowRank64.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { FLOAT64, inRows, relativeError } from '../support/math/numbers.js';
import { matrixOf, rowsOf, secondMoment } from '../support/math/posteriors64.js';

const m = 9;
const found = (G: Rows, omega: Rows, rank: number) => {
  const { values, vectors } = right(nystrom(matrixOf(product(G, omega)), matrixOf(omega), rank));
  const B = rowsOf(vectors);
  return { values, B, G: product(B, diagonalMatrix(values), transposed(B)) };
};
const gaussian = (columns: number): number[][] => inRows(take(m * columns, normalSource(4)), columns);

/** Eigenvalues below 2⁻²³ of the largest are taken for noise. */
const NOISE = m * 2 ** -23;

it('is G itself with the identity, and where G has no higher rank than Ω has columns', () => {
  const full = secondMoment(m, 1);
  expect(relativeError(found(full, identity(m), m).G, full)).toBeLessThan(NOISE);
  const deficient = secondMoment(m, 2, 3);
  const own = found(deficient, gaussian(6), m);
  expect(own.values).toHaveLength(3);
  expect(relativeError(own.G, deficient)).toBeLessThan(1e-9);
});

it('has orthonormal vectors and descending values, no more than asked for', () => {
  const { values, B } = found(secondMoment(m, 1), gaussian(6), 4);
  expect(values).toHaveLength(4);
  expect([...values]).toEqual([...values].sort((a, b) => b - a));
  expect(relativeError(product(transposed(B), B), identity(4))).toBeLessThan(1e-9);
});

it('is never more than G', () => {
  const G = secondMoment(m, 1);
  const { G: part } = found(G, gaussian(5), 5);
  const rest = right(
    javascriptEngine.symmetricEigen(matrixOf(G.map((row, i) => row.map((v, j) => v - (part[i]?.[j] as number))))),
  );
  expect(rest.values[0]).toBeGreaterThan(-1e-9);
});

it('is nothing of nothing', () => {
  const zeros = Array.from({ length: m }, () => new Array<number>(m).fill(0));
  expect(right(nystrom(matrixOf(zeros), matrixOf(identity(m)), 3)).values).toHaveLength(0);
});

it('takes roots, inverses and determinants of one matrix after the other', () => {
  const all = [secondMoment(4, 1), secondMoment(4, 2)];
  const roots = Float64Array.from(all.flat(2));
  choleskyRoots(roots, 4);
  const inverses = inverseRoots(roots, 4);
  all.forEach((A, i) => {
    const L = rowsOf(right(javascriptEngine.cholesky(matrixOf(A))));
    const own = inRows(roots.subarray(16 * i, 16 * (i + 1)), 4).map((row, r) => row.map((v, c) => (c <= r ? v : 0)));
    expect(relativeError(own, L)).toBeLessThan(FLOAT64);
    expect(relativeError(product(inRows(inverses.subarray(16 * i, 16 * (i + 1)), 4), L), identity(4))).toBeLessThan(FLOAT64);
  });
  expect(relativeError(logDeterminants(roots, 4), all.map(logDet))).toBeLessThan(FLOAT64);
});
