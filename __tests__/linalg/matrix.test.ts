import * as fc from 'fast-check';
import { identity, matrix, multiply, symmetricPart, transpose } from '../../src/linalg/index.js';
import type { Matrix } from '../../src/types.js';

// Small integers: sums and products are exact, so laws hold to the last bit.
const integers = (rows: number, cols: number): fc.Arbitrary<Matrix> =>
  fc
    .array(fc.integer({ min: -9, max: 9 }), { minLength: rows * cols, maxLength: rows * cols })
    .map((data) => matrix(rows, cols, data));
const size = fc.integer({ min: 1, max: 9 });
const chain = fc.tuple(size, size, size, size).chain(([a, b, c, d]) => fc.tuple(integers(a, b), integers(b, c), integers(c, d)));

it('multiplies', () => {
  const a = matrix(2, 3, [1, 2, 3, 4, 5, 6]);
  const b = matrix(3, 2, [7, 8, 9, 10, 11, 12]);
  expect(multiply(a, b)).toEqual(matrix(2, 2, [58, 64, 139, 154]));
});

it('law: (A B) C = A (B C), (A B)ᵀ = Bᵀ Aᵀ, I A = A I = A', () => {
  fc.assert(
    fc.property(chain, ([a, b, c]) => {
      expect(multiply(multiply(a, b), c)).toEqual(multiply(a, multiply(b, c)));
      expect(transpose(multiply(a, b))).toEqual(multiply(transpose(b), transpose(a)));
      expect(multiply(identity(a.rows), a)).toEqual(a);
      expect(multiply(a, identity(a.cols))).toEqual(a);
    }),
  );
});

it('transposes', () => {
  expect(transpose(matrix(2, 3, [1, 2, 3, 4, 5, 6]))).toEqual(matrix(3, 2, [1, 4, 2, 5, 3, 6]));
});

it('takes the symmetric part, of large numbers too', () => {
  expect(symmetricPart(matrix(2, 2, [1, 2, 4, 5]))).toEqual(matrix(2, 2, [1, 3, 3, 5]));
  expect(symmetricPart(matrix(1, 1, [1e308]))).toEqual(matrix(1, 1, [1e308]));
});

it('gives frozen values and leaves its arguments alone', () => {
  const a = matrix(2, 2, [1, 2, 3, 4]);
  for (const value of [a, identity(2), transpose(a), symmetricPart(a), multiply(a, a)]) expect(Object.isFrozen(value)).toBe(true);
  expect(a).toEqual({ rows: 2, cols: 2, data: Float64Array.of(1, 2, 3, 4) });
});

it('refuses sizes that do not fit', () => {
  const refused = expect.objectContaining({ _tag: 'LaplaceError', kind: 'InvalidInput' });
  expect(() => matrix(2, 2, [1, 2, 3])).toThrow(refused);
  expect(() => multiply(identity(2), identity(3))).toThrow(refused);
});
