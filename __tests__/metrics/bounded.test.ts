/** Summaries whose histograms lose an order: the exact value lies within the error, and the error is no larger than it has to be. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import * as lib from 'tfjs-laplace';
import { key, uniforms } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';
import { cut, cuts, DIGITS, merged, same } from './merging.js';

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

describe('riskCoverageSummary', () => {
  type Example = readonly [uncertainty: number, loss: number];
  const uncertainty = fc.oneof(
    fc.double({ min: -0.2, max: 1.2, noNaN: true }),
    fc.nat(10).map((k) => k / 10),
    fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  );
  const binary = fc.nat(1);
  const real = fc.double({ min: -1, max: 3, noNaN: true });
  const examples = (own: fc.Arbitrary<number>, loss: fc.Arbitrary<number>): fc.Arbitrary<ReadonlyArray<Example>> =>
    fc.array(fc.tuple(own, loss), { minLength: 1, maxLength: 60 });
  const split = (list: ReadonlyArray<Example>) => [list.map(([u]) => u), list.map(([, loss]) => loss)] as const;
  const exact = (list: ReadonlyArray<Example>) => right(lib.riskCoverage(...split(list)));
  const whole = (list: ReadonlyArray<Example>, options: lib.RiskCoverageSummaryOptions) => {
    const { add, empty, value } = lib.riskCoverageSummary(options);
    return right(value(right(add(empty, ...split(list)))));
  };
  const AREAS = ['area', 'excessArea', 'generalisedArea'] as const;

  it.each([
    ['0 and 1', binary],
    ['any size, also beyond the bins', real],
  ])('law: for losses of %s the exact areas are within the errors, in any order, whatever the bins', (_, loss) => {
    fc.assert(
      fc.property(examples(uncertainty, loss), cuts, fc.integer({ min: 1, max: 50 }), (list, at, bins) => {
        const expected = exact(list);
        const found = merged(
          lib.riskCoverageSummary({ bins }),
          cut(list, at).map((part) => split(part)),
        );
        for (const one of found) for (const name of AREAS) within(one[name], expected[name]);
        for (const other of found) same(other, found[0]);
      }),
      { numRuns: 300 },
    );
  });

  it('law: all areas are exact if each bin holds one distinct value', () => {
    fc.assert(
      fc.property(examples(eighths, fc.oneof(eighths, binary)), (list) => {
        const expected = exact(list);
        const found = whole(list, { bins: 16, upper: 2, upperLoss: 2 });
        for (const name of AREAS) exactly(found[name], expected[name]);
      }),
    );
  });

  it('law: the curve is the exact one of what is at most as uncertain as each threshold, and ends with all', () => {
    fc.assert(
      fc.property(examples(uncertainty, real), fc.integer({ min: 1, max: 50 }), (list, bins) => {
        const { threshold, coverage, risk } = whole(list, { bins });
        threshold.forEach((t, i) => {
          const kept = list.filter(([u]) => u <= t);
          expect(coverage[i]).toBe(kept.length / list.length);
          expect(risk[i]).toBeCloseTo(kept.reduce((sum, [, loss]) => sum + loss, 0) / kept.length, DIGITS);
        });
        expect(coverage.at(-1)).toBe(1);
        // A set makes 0 of −0, and so does the sum.
        expect(Array.from(threshold, (t) => t + 0)).toEqual([...new Set(threshold)].sort((a, b) => a - b));
      }),
    );
  });

  it('no narrower errors follow for losses of 0 and 1: all orders of a bin reach both ends', () => {
    // Four examples of one bin, two of them wrong, between a right one below and a wrong one above.
    const wrong = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].filter((b) => b > a).map((b) => [a, b] as const));
    const possible = wrong.map(
      (two): ReadonlyArray<Example> => [
        [0.1, 0],
        ...[0, 1, 2, 3].map((i) => [0.41 + i / 100, two.includes(i) ? 1 : 0] as const),
        [0.9, 1],
      ],
    );
    const values = possible.map(exact);
    const found = whole(possible[0] as ReadonlyArray<Example>, { bins: 10 });
    for (const name of AREAS) {
      const list = values.map((one) => one[name]);
      expect(found[name].value - found[name].error).toBeCloseTo(Math.min(...list), DIGITS);
      expect(found[name].value + found[name].error).toBeCloseTo(Math.max(...list), DIGITS);
    }
  });

  it('by hand: the best order of losses in one bin has at most their mean, and at least what their range allows', () => {
    const found = whole(
      [
        [0.1, 0.4],
        [0.4, 0.2],
        [0.6, 0.1],
      ],
      { bins: 4, upperLoss: 4 },
    );
    const [area, mean] = [(0.4 + 0.3 + 0.7 / 3) / 3, 0.7 / 3];
    exactly(found.area, area);
    expect(found.excessArea.value - found.excessArea.error).toBeCloseTo(area - mean, DIGITS);
    // The first loss is at least 0.1, and the first two at least 0.7 − 0.4 together.
    expect(found.excessArea.value + found.excessArea.error).toBeCloseTo(area - (0.1 + 0.3 / 2 + mean) / 3, DIGITS);
  });

  it('the errors are small for many bins', () => {
    const [u, v] = [uniforms(key(1), 5000), uniforms(key(2), 5000)];
    const list = Array.from(u, (own, i) => [own, (v[i] as number) < own ** 2 ? 1 : 0] as const);
    const expected = exact(list);
    const found = whole(list, {});
    for (const name of AREAS) {
      within(found[name], expected[name]);
      // About five of 5000 examples lie in one of 1000 bins, so every cumulative share of losses is known to 1e-3.
      expect(found[name].error).toBeLessThan(1e-3);
    }
  });

  it('refuses states of other options, also of other bins of the losses alone', () => {
    const { concat, empty, value } = lib.riskCoverageSummary();
    expect(() => concat(empty, lib.riskCoverageSummary({ upperLoss: 2 }).empty)).toThrow(refusal('InvalidInput'));
    expect(() => concat(empty, lib.scoreSummary().empty as never)).toThrow(refusal('InvalidInput'));
    expect(value(empty)).toEqual(E.left(refusal('Empty')));
  });

  it('names the end of the losses that is out of range', () => {
    expect(() => lib.riskCoverageSummary({ lowerLoss: 1 })).toThrow(/upperLoss/);
  });
});
