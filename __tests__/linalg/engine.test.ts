/** What every engine owes: the same table for each that this run has. */
import { either as E } from 'fp-ts';
import {
  createEngine,
  type Decompose,
  engineNamed,
  identity,
  type LinalgEngine,
  matrix,
  multiply,
  transpose,
} from '../../src/linalg/index.js';
import type { Matrix } from '../../src/types.js';
import { decompose, ENGINES, EPSILON, gaussianMatrix, misfit, norm, withSpectrum } from './matrices.js';

/**
 * Householder tridiagonalisation with QL or QR is backward stable: errors are a modest multiple of n ε ‖A‖. The largest that was
 * seen over these matrices is 3, at n = 3; ten leaves room for another order of summation. An error in float32 would be 5e8.
 */
const BOUND = 10;

function expectFit(a: Matrix, name: LinalgEngine['name']): void {
  const eigen = decompose(name, a);
  const { residual, orthogonality } = misfit(a, eigen);
  expect(residual).toBeLessThan(BOUND);
  expect(orthogonality).toBeLessThan(BOUND);
  expect(eigen.values).toEqual(eigen.values.slice().sort());
}

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i);

describe.each(ENGINES)('%s', (name) => {
  it.each([1, 2, 3, 10, 50, 200])('decomposes to machine precision, n = %d', (n) => {
    expectFit(gaussianMatrix(n, n), name);
  });

  it.each<[string, ReadonlyArray<number>]>([
    ['condition number 1e12', range(50).map((i) => 10 ** ((-12 * i) / 49))],
    ['rank 5 of 50', range(50).map((i) => (i < 5 ? i + 1 : 0))],
    ['repeated eigenvalues', range(50).map((i) => [-1, 1, 1, 7][i % 4] as number)],
    ['tiny numbers', range(20).map((i) => (i + 1) * 1e-150)],
    ['huge numbers', range(20).map((i) => (i + 1) * 1e150)],
  ])('%s', (_, spectrum) => {
    const a = withSpectrum(spectrum, 1);
    const { values, vectors } = decompose(name, a);
    // Compared at a largest eigenvalue of about 1, as squares in a norm could leave the range of float64.
    const unit = 2 ** -Math.round(Math.log2(Math.max(...spectrum)));
    const scaled = { ...a, data: a.data.map((v) => v * unit) };
    const { residual, orthogonality } = misfit(scaled, { values: values.map((v) => v * unit), vectors });
    expect(residual).toBeLessThan(BOUND);
    expect(orthogonality).toBeLessThan(BOUND);
    // Eigenvalues may be off by the residual (Weyl); putting the matrix together in float64 moved them by as much again.
    const expected = Float64Array.from(spectrum).sort();
    const worst = values.reduce((max, v, i) => Math.max(max, Math.abs(v - (expected[i] as number))), 0);
    expect(worst * unit).toBeLessThan(2 * BOUND * a.rows * EPSILON * norm(scaled));
  });

  it('a diagonal matrix has its diagonal, in order', () => {
    const { values, vectors } = decompose(name, matrix(3, 3, [5, 0, 0, 0, -2, 0, 0, 0, 1]));
    expect(values).toEqual(Float64Array.of(-2, 1, 5));
    expect(vectors.data.map(Math.abs)).toEqual(Float64Array.of(0, 0, 1, 1, 0, 0, 0, 1, 0));
  });

  it('the zero matrix has a basis', () => {
    const zero = matrix(4, 4, new Float64Array(16));
    expectFit(zero, name);
    expect(decompose(name, zero).values).toEqual(new Float64Array(4));
  });

  it('small closed forms, with the largest component positive and of two the first', () => {
    const h = Math.SQRT1_2;
    const { values, vectors } = decompose(name, matrix(2, 2, [2, 1, 1, 2]));
    expect(values[0]).toBeCloseTo(1, 14);
    expect(values[1]).toBeCloseTo(3, 14);
    expect(Array.from(vectors.data)).toEqual([h, h, -h, h].map((v) => expect.closeTo(v, 14)));
    expect(decompose(name, matrix(1, 1, [-3]))).toEqual({ values: Float64Array.of(-3), vectors: identity(1) });
  });

  it('does not touch its input and gives frozen values of its own', () => {
    const a = gaussianMatrix(20, 5);
    const before = a.data.slice();
    const eigen = decompose(name, a);
    expect(a.data).toEqual(before);
    expect(Object.isFrozen(eigen) && Object.isFrozen(eigen.vectors)).toBe(true);
    expect(eigen.vectors.data.buffer).not.toBe(a.data.buffer);
  });

  it('takes a matrix that is a part of a larger buffer', () => {
    const shared = Float64Array.of(99, 2, 1, 1, 2, 99);
    const part = { rows: 2, cols: 2, data: shared.subarray(1, 5) };
    expect(decompose(name, part)).toEqual(decompose(name, matrix(2, 2, [2, 1, 1, 2])));
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
    const result = E.chain((engine: LinalgEngine) => engine.symmetricEigen(a))(engineNamed(name));
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'LaplaceError', kind } });
  });

  it('takes what rounding left of symmetry', () => {
    const a = matrix(2, 2, [2, 1, 1 + 1e-12, 2]);
    expect(decompose(name, a)).toEqual(decompose(name, matrix(2, 2, [2, 1 + 5e-13, 1 + 5e-13, 2])));
  });

  it('agrees with the others beyond rounding', () => {
    // Gaps of 1 beside a norm of 115: vectors are off by a few n ε · 115.
    const a = withSpectrum(
      range(34).map((i) => i + 1),
      9,
    );
    const own = decompose(name, a);
    const other = decompose('javascript', a);
    const bound = 4 * BOUND * a.rows * EPSILON * norm(a);
    expect(Array.from(own.values)).toEqual(Array.from(other.values, (v) => expect.closeTo(v, 10)));
    expect(norm({ ...a, data: own.vectors.data.map((v, i) => v - (other.vectors.data[i] as number)) })).toBeLessThan(bound);
  });
});

describe('what engines share', () => {
  const h = Math.SQRT1_2;
  const engineOf = (decomposition: Decompose) => createEngine('javascript', decomposition);

  it('puts values in order and gives signs', () => {
    const engine = engineOf(() => ({ values: [3, -1], vectors: matrix(2, 2, [-0.6, 0.8, -0.8, -0.6]) }));
    expect(engine.symmetricEigen(identity(2))).toEqual(
      E.right({ values: Float64Array.of(-1, 3), vectors: matrix(2, 2, [0.8, 0.6, -0.6, 0.8]) }),
    );
  });

  it('a tie up to rounding goes to the first component, however the engine rounds', () => {
    const up = engineOf(() => ({ values: [1, 3], vectors: matrix(2, 2, [-h, h * (1 - EPSILON), h, h]) }));
    const down = engineOf(() => ({ values: [1, 3], vectors: matrix(2, 2, [-h * (1 - EPSILON), h, h, h]) }));
    const first = (engine: LinalgEngine) =>
      E.map(({ vectors }: { vectors: Matrix }) => Math.sign(vectors.data[0] as number))(engine.symmetricEigen(identity(2)));
    expect(first(up)).toEqual(E.right(1));
    expect(first(down)).toEqual(E.right(1));
  });

  it('gives the engine a matrix of its own', () => {
    const a = matrix(2, 2, [1, 0, 0, 1]);
    const engine = engineOf((own) => {
      own.data.fill(7);
      return { values: [1, 1], vectors: identity(2) };
    });
    engine.symmetricEigen(a);
    expect(a).toEqual(identity(2));
  });

  it.each<[string, Decompose]>([
    [
      'throws',
      () => {
        throw new Error('no convergence');
      },
    ],
    ['gives NaN', () => ({ values: [Number.NaN], vectors: identity(1) })],
  ])('makes an error value of an engine that %s', (_, decomposition) => {
    expect(engineOf(decomposition).symmetricEigen(identity(1))).toMatchObject({ _tag: 'Left', left: { kind: 'Backend' } });
  });

  it('reconstructs A = V Λ Vᵀ', () => {
    const a = gaussianMatrix(8, 3);
    const { values, vectors } = decompose('javascript', a);
    const lambda = matrix(
      8,
      8,
      identity(8).data.map((v, i) => v * (values[i % 8] as number)),
    );
    const back = multiply(multiply(vectors, lambda), transpose(vectors));
    expect(norm({ ...a, data: back.data.map((v, i) => v - (a.data[i] as number)) })).toBeLessThan(BOUND * 8 * EPSILON * norm(a));
  });
});
