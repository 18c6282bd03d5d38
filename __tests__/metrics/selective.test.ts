import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { auroc, retainedAccuracy, riskCoverage } from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';

/** Means of at most 30 numbers below 10. */
const DIGITS = 12;

// Few levels of uncertainty, so that ties are common.
const examples = fc.array(fc.record({ level: fc.nat(4), loss: fc.integer({ min: 0, max: 9 }) }), { minLength: 1, maxLength: 30 });
type Examples = ReadonlyArray<{ readonly level: number; readonly loss: number }>;
const curve = (list: Examples) =>
  right(
    riskCoverage(
      list.map(({ level }) => level),
      list.map(({ loss }) => loss),
    ),
  );

it('by hand: the uncertain are wrong', () => {
  const { coverage, risk, area } = right(riskCoverage([0.9, 0.1, 0.5, 0.3], [1, 0, 1, 0]));
  expect(coverage).toEqual(Float64Array.of(0.25, 0.5, 0.75, 1));
  expect(risk).toEqual(Float64Array.of(0, 0, 1 / 3, 1 / 2));
  expect(area).toBeCloseTo((1 / 3 + 1 / 2) / 4, DIGITS);
});

it('by hand: a tie of right and wrong counts half of each', () => {
  expect(right(riskCoverage([1, 0, 1], [1, 0, 0])).risk).toEqual(Float64Array.of(0, 0.25, 1 / 3));
});

it('law: the order of the examples does not matter', () => {
  fc.assert(
    fc.property(
      examples.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      ([a, b]) => {
        const expected = Array.from(curve(a).risk, (r) => expect.closeTo(r, DIGITS));
        expect(Array.from(curve(b).risk)).toEqual(expected);
      },
    ),
  );
});

it('law: ties are the mean over all their orders', () => {
  // Every rotation of the tied examples puts each of them once at each place, so that their mean is the mean of all orders.
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 }), (losses) => {
      const untied = losses.map((_, shift) => {
        const rotated = losses.map((_, i) => losses[(i + shift) % losses.length] as number);
        return right(
          riskCoverage(
            rotated.map((_, i) => i),
            rotated,
          ),
        ).risk;
      });
      const { risk } = right(
        riskCoverage(
          losses.map(() => 1),
          losses,
        ),
      );
      risk.forEach((r, k) => {
        expect(r).toBeCloseTo(untied.reduce((sum, u) => sum + (u[k] as number), 0) / losses.length, DIGITS);
      });
    }),
  );
});

it('law: all predictions together have the mean loss, however uncertain; no order has a smaller area than that of the losses', () => {
  fc.assert(
    fc.property(examples, (list) => {
      const { risk, area } = curve(list);
      expect(risk[list.length - 1]).toBeCloseTo(list.reduce((sum, { loss }) => sum + loss, 0) / list.length, DIGITS);
      expect(area).toBeGreaterThanOrEqual(curve(list.map(({ loss }) => ({ level: loss, loss }))).area - 10 ** -DIGITS);
    }),
  );
});

it('by hand: excess and generalised areas of one error among four, in second place', () => {
  const { area, excessArea, generalisedArea } = right(riskCoverage([1, 2, 3, 4], [0, 1, 0, 0]));
  expect(area).toBeCloseTo((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4, DIGITS);
  // The best order puts the error last: its area is ¼ · ¼.
  expect(excessArea).toBeCloseTo((1 / 2 + 1 / 3) / 4, DIGITS);
  // Trapezoids over 0, 0, ¼, ¼, ¼.
  expect(generalisedArea).toBeCloseTo((0 + 1 / 8 + 1 / 4 + 1 / 4) / 4, DIGITS);
});

it('law: no excess for the order of the losses, and none below it', () => {
  fc.assert(
    fc.property(examples, (list) => {
      const best = curve(list.map(({ loss }) => ({ level: loss, loss })));
      expect(best.excessArea).toBeCloseTo(0, DIGITS);
      expect(curve(list).excessArea).toBeCloseTo(curve(list).area - best.area, DIGITS);
      expect(curve(list).generalisedArea).toBeGreaterThanOrEqual(best.generalisedArea - 10 ** -DIGITS);
    }),
  );
});

it('law: an uncertainty that says nothing has half the mean loss as its generalised area', () => {
  fc.assert(
    fc.property(examples, (list) => {
      const flat = curve(list.map(({ loss }) => ({ level: 0, loss })));
      expect(flat.generalisedArea).toBeCloseTo(list.reduce((sum, { loss }) => sum + loss, 0) / list.length / 2, DIGITS);
    }),
  );
});

it('law: for right and wrong the generalised area is a (1 − a) (1 − AUROC) + (1 − a)² / 2 (Traub et al. 2024)', () => {
  const binary = fc.array(fc.tuple(fc.nat(4), fc.nat(1)), { minLength: 2, maxLength: 30 });
  fc.assert(
    fc.property(binary, (list) => {
      const of = (wanted: number) => list.filter(([, wrong]) => wrong === wanted).map(([level]) => level);
      fc.pre(of(0).length > 0 && of(1).length > 0);
      const a = of(0).length / list.length;
      const area = right(auroc({ positives: of(1), negatives: of(0) }));
      const { generalisedArea } = curve(list.map(([level, loss]) => ({ level, loss })));
      expect(generalisedArea).toBeCloseTo(a * (1 - a) * (1 - area) + (1 - a) ** 2 / 2, DIGITS);
    }),
  );
});

describe('retainedAccuracy', () => {
  const uncertainty = Array.from({ length: 100 }, (_, i) => i);
  // The 80 least uncertain are right.
  const correct = Uint8Array.from(uncertainty, (i) => (i < 80 ? 1 : 0));

  it('keeps the least uncertain', () => {
    const kept = right(retainedAccuracy(uncertainty, correct, [0.5, 0.8, 0.9, 1]));
    expect(Array.from(kept)).toEqual([1, 1, 80 / 90, 0.8].map((v) => expect.closeTo(v, DIGITS)));
  });

  it('keeps whole examples: at least one, and no more than were asked for by rounding', () => {
    expect(Array.from(right(retainedAccuracy([0, 1], [1, 0], [0.001, 0.5, 0.51])))).toEqual([1, 1, 0.5]);
    // 0.07 · 100 is a little above 7 in float64, and 0.29 · 100 a little below 29: 7 and 29 are kept.
    const first = (k: number) => Uint8Array.from(uncertainty, (i) => (i < k ? 1 : 0));
    expect(right(retainedAccuracy(uncertainty, first(7), [0.07]))[0]).toBe(1);
    expect(right(retainedAccuracy(uncertainty, first(29), [0.29]))[0]).toBe(1);
    expect(right(retainedAccuracy(uncertainty, first(28), [0.29]))[0]).toBeCloseTo(28 / 29, DIGITS);
  });

  it.each([0, -1, 1.01, Number.NaN])('refuses to keep %d', (fraction) => {
    expect(() => retainedAccuracy([1], [1], [fraction])).toThrow(refusal('InvalidOption'));
  });

  it('refuses what is neither right nor wrong', () => {
    expect(retainedAccuracy([1], [0.5], [1])).toEqual(E.left(refusal('InvalidLabels')));
    expect(retainedAccuracy([1, 2], [1], [1])).toEqual(E.left(refusal('InvalidInput')));
  });
});

it.each<[string, ReadonlyArray<number>, ReadonlyArray<number>, string]>([
  ['nothing', [], [], 'Empty'],
  ['lists of different lengths', [1, 2], [0], 'InvalidInput'],
  ['NaN as an uncertainty', [Number.NaN], [0], 'NotFinite'],
  ['NaN as a loss', [1], [Number.NaN], 'NotFinite'],
  ['an infinite loss', [1], [Number.POSITIVE_INFINITY], 'NotFinite'],
])('refuses %s', (_, uncertainty, losses, kind) => {
  expect(riskCoverage(uncertainty, losses)).toEqual(E.left(refusal(kind)));
});
