import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { auroc, type ScoredGroups } from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';

// Few different scores, so that ties are common.
const scores = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 40 });
const groups: fc.Arbitrary<ScoredGroups> = fc.record({ positives: scores, negatives: scores });

/** The definition: all pairs. */
function byPairs({ positives, negatives }: ScoredGroups): number {
  const wins: ReadonlyArray<number> = Array.from(positives).flatMap((p) =>
    Array.from(negatives, (n) => (p > n ? 1 : p === n ? 0.5 : 0)),
  );
  return wins.reduce((sum, w) => sum + w, 0) / wins.length;
}

it.each<[string, ScoredGroups, number]>([
  ['told apart', { positives: [2, 3], negatives: [0, 1] }, 1],
  ['the wrong way round', { positives: [0, 1], negatives: [2, 3] }, 0],
  ['all the same', { positives: [1, 1, 1], negatives: [1] }, 0.5],
  ['one of four pairs lost', { positives: [4, 2], negatives: [1, 3] }, 0.75],
  ['a tie', { positives: Float32Array.of(0.5, 0.25), negatives: [0.25] }, 0.75],
  [
    'infinities',
    { positives: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], negatives: [0, Number.POSITIVE_INFINITY] },
    0.375,
  ],
])('%s', (_, input, expected) => {
  expect(right(auroc(input))).toBe(expected);
});

// Ranks are halves of integers: each result is one correctly rounded quotient, so laws hold to the last bit or two.
it('law: it is the share of pairs in the right order, ties by half', () => {
  fc.assert(fc.property(groups, (g) => expect(right(auroc(g))).toBeCloseTo(byPairs(g), 14)));
});

it('law: an increasing map of all scores changes nothing', () => {
  const map = (xs: ArrayLike<number>) => Array.from(xs, (x) => Math.exp(x / 3) + 2);
  fc.assert(
    fc.property(groups, (g) =>
      expect(right(auroc({ positives: map(g.positives), negatives: map(g.negatives) }))).toBe(right(auroc(g))),
    ),
  );
});

it('law: groups that change places, or scores that change sign, give 1 − AUROC', () => {
  const negated = (xs: ArrayLike<number>) => Array.from(xs, (x) => -x);
  fc.assert(
    fc.property(groups, ({ positives, negatives }) => {
      const rest = 1 - right(auroc({ positives, negatives }));
      expect(right(auroc({ positives: negatives, negatives: positives }))).toBeCloseTo(rest, 14);
      expect(right(auroc({ positives: negated(positives), negatives: negated(negatives) }))).toBeCloseTo(rest, 14);
    }),
  );
});

it.each<[string, ScoredGroups, string]>([
  ['no positives', { positives: [], negatives: [1] }, 'Empty'],
  ['no negatives', { positives: [1], negatives: [] }, 'Empty'],
  ['NaN', { positives: [1], negatives: [Number.NaN] }, 'NotFinite'],
])('refuses %s', (_, input, kind) => {
  expect(auroc(input)).toEqual(E.left(refusal(kind)));
});
