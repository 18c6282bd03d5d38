/** The laws of `factorsMonoid` and `factorsSemigroup`, on random results: factors, or an error in their place. */
import fc from 'fast-check';
import { either as E, monoid as M, semigroup as S } from 'fp-ts';
import { type Factors, factorsMonoid, factorsSemigroup, type LaplaceError, merge } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { EMPTY, factors, LAYOUT, numbersIn, WEIGHTS } from '../support/arbitraryFactors.js';
import { kindOf, right } from '../support/math/laplace.js';

type Result = E.Either<LaplaceError, Factors>;

const monoid = factorsMonoid({ layout: LAYOUT, fingerprint: 'f00d', weights: WEIGHTS });
const { concat } = factorsSemigroup;

const error: fc.Arbitrary<LaplaceError> = fc
  .constantFrom('Empty', 'NotFinite', 'Backend')
  .map((kind) => laplaceError(kind, { what: kind }));
const results: fc.Arbitrary<Result> = fc.oneof(
  { weight: 4, arbitrary: factors.map((sums): Result => E.right(sums)) },
  { weight: 1, arbitrary: error.map((failed): Result => E.left(failed)) },
);

/** The same results in every run. */
const check = <A>(property: fc.IProperty<A>): void => fc.assert(property, { seed: 2 });

/** The same error, or sums that differ by no more than a few roundings of float64 in numbers below 3e6. */
function expectEqual(found: Result, expected: Result): void {
  if (E.isLeft(found) || E.isLeft(expected)) {
    expect(found).toBe(expected);
    return;
  }
  expect({ ...found.right, layers: [] }).toMatchObject({ layout: LAYOUT, fingerprint: 'f00d', weights: WEIGHTS });
  const [own, other] = [numbersIn(found.right), numbersIn(expected.right)];
  expect(own).toHaveLength(other.length);
  own.forEach((v, i) => expect(Math.abs(v - (other[i] as number))).toBeLessThan(4 * 2 ** -53 * 3e6));
}

it('is associative', () => {
  check(fc.property(results, results, results, (a, b, c) => expectEqual(concat(concat(a, b), c), concat(a, concat(b, c)))));
});

it('has an identity on both sides, which is its own identity too', () => {
  check(
    fc.property(results, (a) => {
      expectEqual(monoid.concat(a, monoid.empty), a);
      expectEqual(monoid.concat(monoid.empty, a), a);
    }),
  );
  expectEqual(monoid.concat(monoid.empty, monoid.empty), monoid.empty);
  expect(right(M.concatAll(monoid)([]))).toEqual(EMPTY);
});

it('commutes for factors', () => {
  check(fc.property(factors, factors, (a, b) => expectEqual(concat(E.right(a), E.right(b)), concat(E.right(b), E.right(a)))));
});

it('an error absorbs, and the first one wins', () => {
  check(
    fc.property(error, results, (failed, other) => {
      const left = E.left(failed);
      expect(concat(left, other)).toBe(left);
      expect(concat(other, left)).toBe(E.isLeft(other) ? other : left);
    }),
  );
});

it('adds what merge adds, however many parts there are', () => {
  check(
    fc.property(factors, factors, factors, (a, b, c) => {
      const expected = right(merge(right(merge(a, b)), c));
      const parts = [b, c].map((part): Result => E.right(part));
      expectEqual(S.concatAll(factorsSemigroup)(E.right(a) as Result)(parts), E.right(expected));
      expectEqual(M.concatAll(factorsMonoid(a))([E.right(a), ...parts]), E.right(expected));
    }),
  );
});

it('refuses what merge refuses: other weights than those of the identity, another layout, the same sums twice', () => {
  const [a] = fc.sample(factors, { numRuns: 1, seed: 1 }) as [Factors];
  expect(kindOf(monoid.concat(monoid.empty, E.right({ ...a, fingerprint: 'beef' })))).toBe('Mismatch');
  expect(kindOf(monoid.concat(E.right({ ...a, layout: { ...LAYOUT, covered: ['a'] } }), monoid.empty))).toBe('Mismatch');
  expect(kindOf(concat(E.right({ ...a, count: 1 }), E.right({ ...a, count: 1 })))).toBe('Mismatch');
});

it('keeps the directions of ekfac', () => {
  const rotations = LAYOUT.layers.map(() => ({}));
  expect(right(factorsMonoid({ ...EMPTY, rotations }).empty).rotations).toBe(rotations);
});
