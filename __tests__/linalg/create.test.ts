/** What engines share: order, signs, checks, and failures as values. */
import { either as E, option as O } from 'fp-ts';
import { createEngine, identity, type Kernels, type LinalgEngine, matrix, multiply, transpose } from '../../src/linalg/index.js';
import type { Matrix } from '../../src/types.js';
import { decompose, distance, EPSILON, gaussianMatrix, norm } from './matrices.js';

const h = Math.SQRT1_2;

const fail = (): never => {
  throw new Error('not asked for');
};
const NONE: Kernels = { symmetricEigen: fail, cholesky: fail, triangularSolve: fail, multiply: fail };

const engineOf = (symmetricEigen: Kernels['symmetricEigen']) => createEngine('javascript', { ...NONE, symmetricEigen });

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

it('gives the engine a symmetric matrix of its own', () => {
  const a = matrix(2, 2, [1, 0, 0, 1]);
  const engine = createEngine('javascript', {
    ...NONE,
    symmetricEigen: (own) => {
      own.data.fill(7);
      return { values: [1, 1], vectors: identity(2) };
    },
    cholesky: (own) => {
      own.data.fill(7);
      return O.some(identity(2));
    },
  });
  engine.symmetricEigen(a);
  engine.cholesky(a);
  expect(a).toEqual(identity(2));
});

it('makes an error value of an engine that throws', () => {
  const engine = createEngine('javascript', {
    ...NONE,
    symmetricEigen: () => {
      throw new Error('no convergence');
    },
  });
  expect(engine.symmetricEigen(identity(1))).toMatchObject({
    left: { kind: 'Backend', message: 'The javascript engine failed: found no convergence.' },
  });
  for (const result of [engine.cholesky(identity(1)), engine.multiply(identity(1), identity(1))]) {
    expect(result).toMatchObject({ left: { kind: 'Backend' } });
  }
});

it('lets no NaN of an engine through', () => {
  const nan = matrix(1, 1, [Number.NaN]);
  const engine = (vectors: Matrix, values: number[]) =>
    createEngine('javascript', {
      symmetricEigen: () => ({ values, vectors }),
      cholesky: () => O.some(nan),
      triangularSolve: () => nan,
      multiply: () => nan,
    });
  const one = identity(1);
  expect(engine(one, [Number.NaN]).symmetricEigen(one)).toMatchObject({ left: { kind: 'NotFinite' } });
  expect(engine(nan, [1]).symmetricEigen(one)).toMatchObject({ left: { kind: 'NotFinite' } });
  expect(engine(one, [1]).cholesky(one)).toMatchObject({ left: { kind: 'NotPositiveDefinite' } });
  expect(engine(one, [1]).triangularSolve(one, one)).toMatchObject({ left: { kind: 'NotFinite' } });
  expect(engine(one, [1]).multiply(one, one)).toMatchObject({ left: { kind: 'NotFinite' } });
});

it('reconstructs A = V Λ Vᵀ', () => {
  const a = gaussianMatrix(8, 3);
  const { values, vectors } = decompose('javascript', a);
  const lambda = matrix(
    8,
    8,
    identity(8).data.map((v, i) => v * (values[i % 8] as number)),
  );
  expect(distance(multiply(multiply(vectors, lambda), transpose(vectors)), a)).toBeLessThan(10 * 8 * EPSILON * norm(a));
});
