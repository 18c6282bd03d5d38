/** Summaries whose histograms lose an order: the exact value lies within the error, and the error is no larger than it has to be. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import * as lib from 'tfjs-laplace';
import { key, uniforms } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';
import { cut, cuts, merged } from './merging.js';

/** Sums and quotients of at most 60 numbers of size 1. */
const ROUNDING = 1e-12;

const within = ({ value, error }: lib.Bounded, exact: number) =>
  expect(Math.abs(value - exact)).toBeLessThanOrEqual(error + ROUNDING);
const exactly = ({ value, error }: lib.Bounded, exact: number) => {
  expect(Math.abs(value - exact)).toBeLessThanOrEqual(ROUNDING);
  expect(error).toBeLessThanOrEqual(ROUNDING);
};

/** Numbers from 0 to 1.25, each alone in one of 16 bins from 0 to 2. */
const eighths = fc.nat(10).map((k) => k / 8);

describe('scoreSummary', () => {
  // Half of the scores are of eleven values, so that ties are common, also of both groups.
  const score = fc.oneof(
    fc.double({ min: -0.2, max: 1.2, noNaN: true }),
    fc.nat(10).map((k) => k / 10),
    fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  );
  type Scored = ReadonlyArray<readonly [number, boolean]>;
  const groupsOf = (part: Scored): lib.ScoredGroups => ({
    positives: part.filter(([, positive]) => positive).map(([s]) => s),
    negatives: part.filter(([, positive]) => !positive).map(([s]) => s),
  });
  const scored = (own: fc.Arbitrary<number>) =>
    fc
      .array(fc.tuple(own, fc.boolean()), { minLength: 2, maxLength: 60 })
      .filter((list) => new Set(list.map(([, positive]) => positive)).size === 2);
  const rates = fc.constantFrom(0.05, 0.5, 0.95, 1);
  const exact = (groups: lib.ScoredGroups, rate: number) => ({
    auroc: right(lib.auroc(groups)),
    aupr: right(lib.aupr(groups)),
    fprAtTpr: right(lib.fprAtTpr(groups, { rate })),
  });
  const NAMES = ['auroc', 'aupr', 'fprAtTpr'] as const;
  const whole = (groups: lib.ScoredGroups, options: lib.ScoreSummaryOptions) => {
    const { add, empty, value } = lib.scoreSummary(options);
    return right(value(right(add(empty, groups))));
  };

  it('law: the exact values are within the errors, in any order, whatever the bins', () => {
    fc.assert(
      fc.property(scored(score), cuts, fc.integer({ min: 1, max: 50 }), rates, (list, at, bins, rate) => {
        const expected = exact(groupsOf(list), rate);
        const found = merged(
          lib.scoreSummary({ bins, rate }),
          cut(list, at).map((part) => [groupsOf(part)]),
        );
        for (const name of NAMES) within((found[0] as lib.ScoreMetrics)[name], expected[name]);
        // Counts and extremes have no rounding.
        for (const other of found) expect(other).toEqual(found[0]);
      }),
      { numRuns: 300 },
    );
  });

  it('law: all are exact if each bin holds one distinct value', () => {
    fc.assert(
      fc.property(scored(eighths), rates, (list, rate) => {
        const groups = groupsOf(list);
        const expected = exact(groups, rate);
        const found = whole(groups, { bins: 16, upper: 2, rate });
        for (const name of NAMES) exactly(found[name], expected[name]);
      }),
    );
  });

  it('no narrower errors follow from counts: all orders and ties of a bin reach both ends', () => {
    // Every assignment of four scores to two positives and two negatives between one of each above and below.
    const levels = [0.41, 0.42, 0.43, 0.44];
    const all = levels.flatMap((a) => levels.flatMap((b) => levels.flatMap((c) => levels.map((d) => [a, b, c, d] as const))));
    const possible = all
      .filter((four) => new Set(four).size > 1)
      .map(([a, b, c, d]) => ({ positives: [0.9, a, b, 0.1], negatives: [0.9, c, d, 0.1] }));
    for (const rate of [0.5, 0.95]) {
      const values = possible.map((groups) => exact(groups, rate));
      for (const name of NAMES) {
        const list = values.map((one) => one[name]);
        const { value, error } = whole(possible[0] as lib.ScoredGroups, { bins: 10, rate })[name];
        expect(value - error).toBeCloseTo(Math.min(...list), 12);
        expect(value + error).toBeCloseTo(Math.max(...list), 12);
      }
    }
  });

  it('the errors are small for many bins', () => {
    const groups = { positives: uniforms(key(1), 2000).map((u) => Math.sqrt(u)), negatives: uniforms(key(2), 2000) };
    const expected = exact(groups, 0.95);
    const found = whole(groups, {});
    for (const name of NAMES) within(found[name], expected[name]);
    // Half a share of 1/1000 of all pairs is in one bin, and twice that if bins differ.
    expect(found.auroc.error).toBeLessThan(1e-3);
    // Half a bin of 1000: about one of 2000 negatives, and at most four.
    expect(found.fprAtTpr.error).toBeLessThan(2e-3);
    // The b-th bin from the top has at most 0.002 of the positives, whose precision is known to 1 / b: half of 0.002 · (1 + … + 1/1000).
    expect(found.aupr.error).toBeLessThan(7.5e-3);
  });

  it('has no value before both groups have an example', () => {
    const { add, empty, value } = lib.scoreSummary();
    expect(value(right(add(empty, { positives: [1], negatives: [] })))).toEqual(E.left(refusal('Empty')));
  });

  it('refuses bins of no width, and bins whose width overflows', () => {
    expect(() => lib.scoreSummary({ lower: 1, upper: 1 })).toThrow(refusal('InvalidOption'));
    expect(() => lib.scoreSummary({ lower: -1e308, upper: 1e308 })).toThrow(refusal('InvalidOption'));
  });
});
