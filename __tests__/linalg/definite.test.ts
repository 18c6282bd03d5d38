/** Cholesky, triangular systems, log-determinants and products that every engine owes. */
import { type EngineName, identity, type LinalgEngine, matrix, multiply, transpose } from '../../src/linalg/index.js';
import type { Matrix } from '../../src/types.js';
import {
  AVAILABLE,
  distance,
  EPSILON,
  engine,
  gaussianMatrix,
  norm,
  orThrow,
  rectangle,
  subtract,
  withSpectrum,
} from './matrices.js';

/** Backward errors are at most n ε times the norms that are given with each; ten leaves room, float32 would be off by 5e8. */
const BOUND = 10;

/** Plain JavaScript multiplies at a nanosecond a step, and the checks do too. */
const SIZES = [1, 2, 3, 16, 33, 130, 300];

/** X Xᵀ + I / 10 with X of normals: its condition number is about 40 n. */
function positiveDefinite(n: number): Matrix {
  const x = rectangle(n, n, n);
  const gram = multiply(x, transpose(x));
  return matrix(
    n,
    n,
    gram.data.map((v, i) => v + (i % (n + 1) === 0 ? 0.1 : 0)),
  );
}

const lowerHalf = ({ rows: n, data }: Matrix): Matrix =>
  matrix(
    n,
    n,
    data.map((v, i) => (i % n <= Math.floor(i / n) ? v : 0)),
  );

/** A lower triangular matrix whose inverse is small. */
const triangle = (n: number): Matrix =>
  lowerHalf(
    matrix(
      n,
      n,
      gaussianMatrix(n, 5).data.map((v, i) => (i % (n + 1) === 0 ? Math.sign(v) * (n + Math.abs(v)) : v)),
    ),
  );

const refused = (kind: string) => expect.objectContaining({ _tag: 'Left', left: expect.objectContaining({ kind }) });

const BROKEN: ReadonlyArray<[string, Matrix, string]> = [
  ['not square', matrix(1, 2, [1, 2]), 'InvalidInput'],
  ['empty', matrix(0, 0, []), 'InvalidInput'],
  ['shorter than it says', { rows: 2, cols: 2, data: Float64Array.of(1) }, 'InvalidInput'],
  ['NaN', matrix(2, 2, [1, Number.NaN, Number.NaN, 1]), 'NotFinite'],
  ['infinity', matrix(1, 1, [Number.POSITIVE_INFINITY]), 'NotFinite'],
];

describe.each<EngineName>(AVAILABLE as EngineName[])('%s', (name) => {
  let own: LinalgEngine;
  beforeAll(() => {
    own = engine(name);
  });

  describe('cholesky', () => {
    it.each(SIZES)('A = L Lᵀ to machine precision, n = %d', (n) => {
      const a = positiveDefinite(n);
      const l = orThrow(own.cholesky(a));
      expect(norm(subtract(multiply(l, transpose(l)), a))).toBeLessThan(BOUND * n * EPSILON * norm(a));
      expect(l).toEqual(lowerHalf(l));
      for (let i = 0; i < n; i++) expect(l.data[i * (n + 1)]).toBeGreaterThan(0);
    });

    it('a closed form', () => {
      expect(own.cholesky(matrix(2, 2, [4, 2, 2, 10]))).toEqual({ _tag: 'Right', right: matrix(2, 2, [2, 0, 1, 3]) });
    });

    it('condition number 1e12, and numbers far from 1', () => {
      for (const scale of [1, 1e-200, 1e200]) {
        const a = withSpectrum(
          Array.from({ length: 50 }, (_, i) => scale * 10 ** ((-12 * i) / 49)),
          1,
        );
        const l = orThrow(own.cholesky(a));
        const back = multiply(l, transpose(l));
        expect(distance(back, a)).toBeLessThan(BOUND * 50 * EPSILON * scale);
      }
    });

    it.each<[string, Matrix]>([
      ['with a negative eigenvalue', matrix(2, 2, [1, 2, 2, 1])],
      ['zero', matrix(3, 3, new Float64Array(9))],
      ['with a negative diagonal', matrix(1, 1, [-1])],
      ['singular', matrix(2, 2, [1, 1, 1, 1])],
      ['large, with a negative eigenvalue at the end', withSpectrum([-1, ...Array.from({ length: 129 }, (_, i) => i + 1)], 2)],
    ])('there is none of a matrix that is %s', (_, a) => {
      expect(own.cholesky(a)).toEqual(refused('NotPositiveDefinite'));
      expect(own.logDeterminant(a)).toEqual(refused('NotPositiveDefinite'));
    });

    it.each([...BROKEN, ['not symmetric', matrix(2, 2, [1, 0.5, 0.6, 1]), 'InvalidInput'] as const])(
      'refuses a matrix that is %s',
      (_, a, kind) => {
        expect(own.cholesky(a)).toEqual(refused(kind));
        expect(own.logDeterminant(a)).toEqual(refused(kind));
      },
    );
  });

  describe('logDeterminant', () => {
    it('is the sum of the logarithms of the eigenvalues, also where the determinant is out of range', () => {
      for (const scale of [1, 1e-30, 1e30]) {
        const spectrum = Array.from({ length: 60 }, (_, i) => scale * (1 + i));
        const expected = spectrum.reduce((sum, v) => sum + Math.log(v), 0);
        // Every eigenvalue is off by n ε ‖A‖ at most, the smallest is a hundredth of the norm's.
        expect(orThrow(own.logDeterminant(withSpectrum(spectrum, 4)))).toBeCloseTo(expected, 8);
      }
    });
  });

  describe('triangularSolve', () => {
    it.each<[number, number]>([...SIZES.map((n): [number, number] => [n, 5]), [40, 1], [3, 200]])(
      'L X = B and Lᵀ X = B, n = %d, k = %d',
      (n, k) => {
        const l = triangle(n);
        const b = rectangle(n, k, 3);
        const bound = (x: Matrix) => BOUND * n * EPSILON * norm(l) * norm(x);
        const x = orThrow(own.triangularSolve(l, b));
        expect(norm(subtract(multiply(l, x), b))).toBeLessThan(bound(x));
        const y = orThrow(own.triangularSolve(l, b, { transposed: true }));
        expect(norm(subtract(multiply(transpose(l), y), b))).toBeLessThan(bound(y));
      },
    );

    it('does not read above the diagonal', () => {
      const b = rectangle(2, 2, 1);
      for (const transposed of [false, true]) {
        expect(own.triangularSolve(matrix(2, 2, [2, 1e9, 1, 4]), b, { transposed })).toEqual(
          own.triangularSolve(matrix(2, 2, [2, 0, 1, 4]), b, { transposed }),
        );
      }
    });

    it('inverts a positive definite matrix with cholesky', () => {
      const a = positiveDefinite(20);
      const l = orThrow(own.cholesky(a));
      const inverse = orThrow(own.triangularSolve(l, orThrow(own.triangularSolve(l, identity(20))), { transposed: true }));
      // The condition number is below 1e5.
      expect(distance(multiply(a, inverse), identity(20))).toBeLessThan(1e5 * 20 * EPSILON);
    });

    it.each(BROKEN)('refuses an L that is %s', (_, l, kind) => {
      expect(own.triangularSolve(l, rectangle(2, 1, 1))).toEqual(refused(kind));
    });

    it('refuses a singular L, a B of another size, and one that is broken', () => {
      expect(own.triangularSolve(matrix(2, 2, [1, 0, 1, 0]), rectangle(2, 1, 1))).toEqual(refused('InvalidInput'));
      expect(own.triangularSolve(identity(2), rectangle(3, 1, 1))).toEqual(refused('InvalidInput'));
      expect(own.triangularSolve(identity(2), matrix(2, 0, []))).toEqual(refused('InvalidInput'));
      expect(own.triangularSolve(identity(1), matrix(1, 1, [Number.NaN]))).toEqual(refused('NotFinite'));
    });

    it('says that a result is out of range', () => {
      expect(own.triangularSolve(matrix(1, 1, [1e-300]), matrix(1, 1, [1e300]))).toEqual(refused('NotFinite'));
    });
  });

  describe('multiply', () => {
    it.each([
      [1, 1, 1],
      [2, 3, 4],
      [33, 17, 65],
      [130, 70, 3],
      [200, 300, 100],
    ])('[%d, %d] by [.., %d]', (m, k, n) => {
      const [a, b] = [rectangle(m, k, 1), rectangle(k, n, 2)];
      const difference = subtract(orThrow(own.multiply(a, b)), multiply(a, b));
      expect(norm(difference)).toBeLessThan(2 * k * EPSILON * norm(a) * norm(b));
    });

    it('small integers exactly', () => {
      const product = own.multiply(matrix(2, 3, [1, 2, 3, 4, 5, 6]), matrix(3, 2, [7, 8, 9, 10, 11, 12]));
      expect(product).toEqual({ _tag: 'Right', right: matrix(2, 2, [58, 64, 139, 154]) });
    });

    it('refuses sizes that do not fit, and what is not finite', () => {
      expect(own.multiply(identity(2), identity(3))).toEqual(refused('InvalidInput'));
      expect(own.multiply(matrix(0, 0, []), matrix(0, 0, []))).toEqual(refused('InvalidInput'));
      expect(own.multiply(matrix(1, 1, [Number.NaN]), identity(1))).toEqual(refused('NotFinite'));
      expect(own.multiply(matrix(1, 1, [1e200]), matrix(1, 1, [1e200]))).toEqual(refused('NotFinite'));
    });
  });

  it('leaves its arguments alone and gives frozen values', () => {
    const [a, b] = [positiveDefinite(9), rectangle(9, 2, 1)];
    const before = structuredClone([a, b]);
    const results = [own.cholesky(a), own.triangularSolve(a, b), own.multiply(a, b)].map(orThrow);
    expect([a, b]).toEqual(before);
    expect(results.every(Object.isFrozen)).toBe(true);
  });
});
