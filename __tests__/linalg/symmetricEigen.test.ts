/** The symmetric eigendecomposition that every engine owes: the same table for each that this run has. */
import { type EngineName, identity, type LinalgEngine, matrix, type SymmetricEigen, wasmEngine } from '../../src/linalg/index.js';
import type { Matrix } from '../../src/types.js';
import {
  AVAILABLE,
  decompose,
  distance,
  EPSILON,
  engine,
  gaussianMatrix,
  misfit,
  norm,
  orThrow,
  withSpectrum,
} from './matrices.js';

/**
 * Householder tridiagonalisation with QL or QR is backward stable: errors are a modest multiple of n ε ‖A‖. The largest that was
 * seen over these matrices is 3, at n = 3; ten leaves room for another order of summation. An error in float32 would be 5e8.
 */
const BOUND = 10;

/**
 * An engine, its unit roundoff, and the size up to which it is asked. One engine goes as far as the side of a large layer; the others
 * stop where their work comes in many blocks, since it grows with n³.
 */
interface Subject {
  readonly make: () => LinalgEngine;
  readonly epsilon: number;
  readonly largest: number;
}

const LARGEST: Readonly<Record<EngineName, number>> = { javascript: 300, wasm: 1300, tensorflow: 500 };

const SUBJECTS: ReadonlyArray<[string, Subject]> = [
  ...AVAILABLE.map((name): [string, Subject] => [name, { make: () => engine(name), epsilon: EPSILON, largest: LARGEST[name] }]),
  ['wasm in float32', { make: () => orThrow(wasmEngine({ float: 'float32' })), epsilon: 2 ** -23, largest: 500 }],
];

const SIZES = [1, 2, 3, 4, 5, 10, 31, 32, 33, 34, 50, 65, 200, 300, 500, 1300];

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i);

describe.each(SUBJECTS)('%s', (_, { make, epsilon, largest }) => {
  const eigenOf = (a: Matrix): SymmetricEigen => orThrow(make().symmetricEigen(a));

  function expectFit(a: Matrix, eigen = eigenOf(a)): void {
    const { residual, orthogonality } = misfit(a, eigen, epsilon);
    expect(residual).toBeLessThan(BOUND);
    expect(orthogonality).toBeLessThan(BOUND);
    expect(eigen.values).toEqual(eigen.values.slice().sort());
  }

  it.each(SIZES.filter((n) => n <= largest))('decomposes to machine precision, n = %d', (n) => {
    expectFit(gaussianMatrix(n, n));
  });

  it.each<[string, ReadonlyArray<number>]>([
    ['condition number 1e12', range(50).map((i) => 10 ** ((-12 * i) / 49))],
    ['condition number 1e12, in blocks', range(150).map((i) => 10 ** ((-12 * i) / 149))],
    ['rank 5 of 50', range(50).map((i) => (i < 5 ? i + 1 : 0))],
    ['rank 1 of 100', range(100).map((i) => (i < 1 ? 1 : 0))],
    ['repeated eigenvalues', range(100).map((i) => [-1, 1, 1, 7][i % 4] as number)],
    ['one eigenvalue', range(40).map(() => 3)],
    ['two clusters', range(40).map((i) => (i % 2) + 1e-14 * i)],
    ['tiny numbers', range(20).map((i) => (i + 1) * 1e-150)],
    ['huge numbers', range(20).map((i) => (i + 1) * 1e150)],
  ])('%s', (_, spectrum) => {
    const a = withSpectrum(spectrum, 1);
    const { values, vectors } = eigenOf(a);
    // Compared at a largest eigenvalue of about 1, as squares in a norm could leave the range of float64.
    const unit = 2 ** -Math.round(Math.log2(Math.max(...spectrum)));
    const scaled = { ...a, data: a.data.map((v) => v * unit) };
    expectFit(scaled, { values: values.map((v) => v * unit), vectors });
    // Eigenvalues may be off by the residual (Weyl); putting the matrix together in float64 moved them by as much again.
    const expected = Float64Array.from(spectrum).sort();
    const worst = values.reduce((max, v, i) => Math.max(max, Math.abs(v - (expected[i] as number))), 0);
    expect(worst * unit).toBeLessThan(2 * BOUND * a.rows * epsilon * norm(scaled));
  });

  it('the smallest numbers there are', () => {
    const a = matrix(2, 2, [1e-323, 0, 0, 1e-320]);
    expect(eigenOf(a).values).toEqual(Float64Array.of(1e-323, 1e-320));
  });

  it('a tridiagonal matrix of a closed form', () => {
    // 2 on the diagonal, −1 beside: λ_k = 2 − 2 cos(k π / (n + 1)).
    const n = 40;
    const a = matrix(
      n,
      n,
      Float64Array.from({ length: n * n }, (_, i) => [2, -1][Math.abs(Math.floor(i / n) - (i % n))] ?? 0),
    );
    const expected = range(n).map((k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)));
    expect(distance(matrix(1, n, eigenOf(a).values), matrix(1, n, expected))).toBeLessThan(BOUND * n * epsilon * norm(a));
    expectFit(a);
  });

  it('a diagonal matrix has its diagonal, in order', () => {
    const { values, vectors } = eigenOf(matrix(3, 3, [5, 0, 0, 0, -2, 0, 0, 0, 1]));
    expect(values).toEqual(Float64Array.of(-2, 1, 5));
    expect(vectors).toEqual(matrix(3, 3, [0, 0, 1, 1, 0, 0, 0, 1, 0]));
  });

  it.each([1, 4, 70])('the zero matrix has a basis, n = %d', (n) => {
    const zero = matrix(n, n, new Float64Array(n * n));
    expectFit(zero);
    expect(eigenOf(zero).values).toEqual(new Float64Array(n));
  });

  it('small closed forms, with the largest component positive and of two the first', () => {
    const h = Math.SQRT1_2;
    const { values, vectors } = eigenOf(matrix(2, 2, [2, 1, 1, 2]));
    expect(distance(matrix(1, 2, values), matrix(1, 2, [1, 3]))).toBeLessThan(BOUND * epsilon);
    expect(distance(vectors, matrix(2, 2, [h, h, -h, h]))).toBeLessThan(BOUND * epsilon);
    expect(eigenOf(matrix(1, 1, [-3]))).toEqual({ values: Float64Array.of(-3), vectors: identity(1) });
  });

  it('does not touch its input and gives frozen values of its own', () => {
    const a = gaussianMatrix(20, 5);
    const before = a.data.slice();
    const eigen = eigenOf(a);
    expect(a.data).toEqual(before);
    expect(Object.isFrozen(eigen) && Object.isFrozen(eigen.vectors)).toBe(true);
    expect(eigen.vectors.data.buffer).not.toBe(a.data.buffer);
  });

  it('takes a matrix that is a part of a larger buffer', () => {
    const shared = Float64Array.of(99, 2, 1, 1, 2, 99);
    const part = { rows: 2, cols: 2, data: shared.subarray(1, 5) };
    expect(eigenOf(part)).toEqual(eigenOf(matrix(2, 2, [2, 1, 1, 2])));
  });

  it.each<[string, Matrix, string]>([
    ['not square', matrix(1, 2, [1, 2]), 'InvalidInput'],
    ['empty', matrix(0, 0, []), 'InvalidInput'],
    ['shorter than it says', { rows: 2, cols: 2, data: Float64Array.of(1) }, 'InvalidInput'],
    ['not symmetric', matrix(2, 2, [1, 2, 2.001, 1]), 'InvalidInput'],
    ['not symmetric, beyond the tolerance of 1e-10', matrix(2, 2, [1, 0.5, 0.5 + 2e-10, 1]), 'InvalidInput'],
    ['NaN', matrix(2, 2, [1, Number.NaN, Number.NaN, 1]), 'NotFinite'],
    ['infinity', matrix(1, 1, [Number.POSITIVE_INFINITY]), 'NotFinite'],
  ])('refuses a matrix that is %s', (_, a, kind) => {
    expect(make().symmetricEigen(a)).toMatchObject({ _tag: 'Left', left: { _tag: 'LaplaceError', kind } });
  });

  it('takes what rounding left of symmetry', () => {
    const a = matrix(2, 2, [2, 1, 1 + 1e-12, 2]);
    expect(eigenOf(a)).toEqual(eigenOf(matrix(2, 2, [2, 1 + 5e-13, 1 + 5e-13, 2])));
  });

  it('agrees with the others up to rounding, signs included', () => {
    // Gaps of 1 beside a norm of 115: vectors are off by a few n ε · 115.
    const a = withSpectrum(
      range(34).map((i) => i + 1),
      9,
    );
    const own = eigenOf(a);
    const other = decompose('javascript', a);
    const bound = 4 * BOUND * a.rows * epsilon * norm(a);
    expect(distance(matrix(1, 34, own.values), matrix(1, 34, other.values))).toBeLessThan(bound);
    expect(distance(own.vectors, other.vectors)).toBeLessThan(bound);
  });
});
