/** Parts of data sets: laws of their sums, and what `merge` does with them. */

import fc from 'fast-check';
import { either as E } from 'fp-ts';
import { emptyFactors, type Factors, merge, mergeEpochs, type Part } from 'tfjs-laplace';
import { examplesIn, joinParts, PartsCodec, partText, unionParts } from '../../src/curvature/parts.js';
import { right } from '../support/math/laplace.js';
import { LAYOUT } from '../support/parts.js';

const part = (dataset: string, first: number, end: number): Part => ({ dataset, first, end });

/** Parts as a set of examples. */
const examples = (parts: ReadonlyArray<Part>): ReadonlySet<string> =>
  new Set(parts.flatMap(({ dataset, first, end }) => Array.from({ length: end - first }, (_, i) => `${dataset}:${first + i}`)));

/** Sorted parts that do not touch: those of a random set of examples. */
const parts = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'ab'), fc.nat(12)), { selector: ([name, i]) => `${name}:${i}` })
  .map((own) => own.reduce<ReadonlyArray<Part>>((sum, [name, i]) => unionParts(sum, [part(name, i, i + 1)]), []));

describe('joinParts', () => {
  it('is the union of sets of examples, and refuses those that have one in common', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const common = [...examples(a)].filter((example) => examples(b).has(example));
        const joined = joinParts(a, b);
        expect(E.isLeft(joined)).toBe(common.length > 0);
        if (E.isRight(joined)) expect([...examples(joined.right)].sort()).toEqual([...examples(a), ...examples(b)].sort());
        else for (const example of examples([joined.left])) expect(common).toContain(example);
        expect(joinParts(b, a)).toEqual(joined);
        expect(examples(unionParts(a, b))).toEqual(new Set([...examples(a), ...examples(b)].sort((x, y) => (x < y ? -1 : 1))));
      }),
    );
  });

  it('gives sorted parts that do not touch, of any order of delivery', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }), (order) => {
        let sum: ReadonlyArray<Part> = [];
        for (const i of order) {
          const shard = part('data', i * 10, i * 10 + 10);
          const joined = joinParts(sum, [shard]);
          if (E.isLeft(joined)) throw new Error('disjoint parts were refused');
          sum = joined.right;
          expect(PartsCodec.is(sum)).toBe(true);
          // The same shard again, at any time.
          expect(joinParts(sum, [shard])).toEqual(E.left(shard));
        }
        expect(sum).toEqual([part('data', 0, 80)]);
      }),
    );
  });

  it('keeps data sets apart', () => {
    expect(joinParts([part('b', 0, 5)], [part('a', 5, 9)])).toEqual(E.right([part('a', 5, 9), part('b', 0, 5)]));
    expect(examplesIn([part('a', 5, 9), part('b', 0, 5)])).toBe(9);
  });
});

it('is told in words', () => {
  expect(partText(part('mnist', 0, 100))).toBe('examples 0 to 99 of "mnist"');
  expect(partText(part('mnist', 7, 8))).toBe('example 7 of "mnist"');
});

it('is decoded only if sorted and apart', () => {
  const wrong: unknown[] = [
    [],
    [part('a', 3, 3)],
    [part('a', 3, 2)],
    [part('a', -1, 2)],
    [part('a', 0, 2), part('a', 2, 3)],
    [part('a', 5, 6), part('a', 2, 3)],
    [part('b', 5, 6), part('a', 2, 3)],
    [{ ...part('a', 0, 1), more: 1 }],
    ['a'],
    [part('a', 0, 0.5)],
    [part('', 0, 1)],
  ];
  for (const value of wrong) expect(PartsCodec.is(value)).toBe(false);
  expect(PartsCodec.is([part('a', 0, 2), part('a', 3, 4), part('b', 0, 9)])).toBe(true);
});

describe('merge', () => {
  const factors = (...own: ReadonlyArray<Part>): Factors => ({
    ...emptyFactors(LAYOUT, 'f00d', [{ rows: 1, cols: 1, data: Float64Array.of(2) }]),
    count: examplesIn(own),
    datasetSize: examplesIn(own),
    ...(own.length > 0 && { parts: own }),
  });

  it('adds adjacent parts up', () => {
    const both = right(merge(factors(part('a', 0, 10)), factors(part('a', 10, 15))));
    expect(both.parts).toEqual([part('a', 0, 15)]);
    expect(both.datasetSize).toBe(15);
  });

  it('refuses overlapping ones, and names the examples', () => {
    expect(merge(factors(part('a', 0, 10)), factors(part('a', 8, 12), part('b', 0, 1)))).toMatchObject({
      left: { kind: 'Mismatch', field: 'parts', message: expect.stringContaining('examples 8 to 9 of "a"') },
    });
  });

  it('takes factors without parts as unknown', () => {
    expect(right(merge(factors(part('a', 0, 10)), factors())).parts).toEqual([part('a', 0, 10)]);
    expect('parts' in right(merge(factors(), factors()))).toBe(false);
  });

  it('of epochs takes the same examples again', () => {
    expect(right(mergeEpochs(factors(part('a', 0, 10)), factors(part('a', 5, 12)))).parts).toEqual([part('a', 0, 12)]);
  });
});
