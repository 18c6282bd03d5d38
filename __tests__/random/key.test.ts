import * as fc from 'fast-check';
import { foldIn, type Key, key, split } from '../../src/random/index.js';
import { threefry } from '../../src/random/threefry.js';

const word = fc.integer({ min: 0, max: 0xffffffff });
const keys: fc.Arbitrary<Key> = fc.record({ hi: word, lo: word });

// threefry2x32 with 20 rounds in Random123's file of known answers (tests/kat_vectors).
it.each([
  { counter: [0, 0], under: [0, 0], gives: [0x6b200159, 0x99ba4efe] },
  { counter: [0xffffffff, 0xffffffff], under: [0xffffffff, 0xffffffff], gives: [0x1cb996fc, 0xbb002be7] },
  { counter: [0x243f6a88, 0x85a308d3], under: [0x13198a2e, 0x03707344], gives: [0xc4923a9c, 0x483df7a0] },
] as const)('Threefry: $counter under $under', ({ counter, under, gives }) => {
  expect(threefry(under, counter)).toEqual(gives);
});

// JAX 0.10.2, with jax_threefry_partitionable (its default) and, for the first, jax_enable_x64:
//   jax.random.PRNGKey(2**40 + 5)
//   k = jax.random.PRNGKey(42); jax.random.split(k, 3); jax.random.fold_in(k, 7)
//   jax.random.fold_in(jax.random.fold_in(jax.random.PRNGKey(0), 3), 4294967295)
it("gives JAX's keys", () => {
  expect(key(2 ** 40 + 5)).toEqual({ hi: 256, lo: 5 });
  expect(split(key(42), 3)).toEqual([
    { hi: 1832780943, lo: 270669613 },
    { hi: 64467757, lo: 2916123636 },
    { hi: 2465931498, lo: 255383827 },
  ]);
  expect(foldIn(key(42), 7)).toEqual({ hi: 2547012911, lo: 1371500959 });
  expect(foldIn(foldIn(key(0), 3), 4294967295)).toEqual({ hi: 4196246994, lo: 2395176892 });
});

it('takes both words of large numbers', () => {
  const numbers = [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
  expect(new Set(numbers.map((n) => JSON.stringify(foldIn(key(0), n)))).size).toBe(numbers.length);
  expect(new Set(numbers.map((n) => JSON.stringify(key(n)))).size).toBe(numbers.length);
});

it('law: split(key, n)[i] is foldIn(key, i), so that a longer split begins with a shorter one', () => {
  fc.assert(
    fc.property(keys, fc.nat(20), (parent, n) => {
      expect(split(parent, n)).toEqual(Array.from({ length: n }, (_, i) => foldIn(parent, i)));
    }),
  );
});

it('law: another number or another key gives another key', () => {
  // Under one key Threefry is a bijection of the numbers; for two keys an equal result has probability 2⁻⁶⁴.
  const number = fc.maxSafeNat();
  fc.assert(
    fc.property(keys, number, number, (k, a, b) => {
      fc.pre(a !== b);
      expect(foldIn(k, a)).not.toEqual(foldIn(k, b));
    }),
  );
  fc.assert(
    fc.property(keys, keys, number, (j, k, a) => {
      fc.pre(j.hi !== k.hi || j.lo !== k.lo);
      expect(foldIn(j, a)).not.toEqual(foldIn(k, a));
    }),
  );
});

it('gives plain frozen values that can be cloned', () => {
  for (const value of [key(1), foldIn(key(1), 2), ...split(key(1), 2)]) {
    expect(Object.isFrozen(value)).toBe(true);
    expect(structuredClone(value)).toEqual(value);
  }
  expect(Object.isFrozen(split(key(1), 2))).toBe(true);
});

const refused = expect.objectContaining({ _tag: 'LaplaceError', kind: 'InvalidOption' });

it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses %d', (value) => {
  expect(() => key(value)).toThrow(refused);
  expect(() => foldIn(key(0), value)).toThrow(refused);
  expect(() => split(key(0), value)).toThrow(refused);
});
