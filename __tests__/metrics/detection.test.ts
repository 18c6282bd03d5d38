import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { aupr, auroc, fprAtTpr, precisionRecall, rocCurve, type ScoredGroups } from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';

const DIGITS = 13;

// Few different scores, so that ties are common.
const scores = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 40 });
const groups: fc.Arbitrary<ScoredGroups> = fc.record({ positives: scores, negatives: scores });
const share = (list: ArrayLike<number>, least: number) => Array.from(list).filter((s) => s >= least).length / list.length;

it('law: every point of the curve is a count at its threshold, and the trapezoids below it are the AUROC', () => {
  fc.assert(
    fc.property(groups, (g) => {
      const { threshold, falsePositiveRate: x, truePositiveRate: y } = right(rocCurve(g));
      threshold.forEach((t, k) => {
        expect(x[k]).toBe(share(g.negatives, t));
        expect(y[k]).toBe(share(g.positives, t));
      });
      let area = 0;
      for (let k = 1; k < x.length; k++) {
        area += (((x[k] as number) - (x[k - 1] as number)) * ((y[k] as number) + (y[k - 1] as number))) / 2;
      }
      expect(area).toBeCloseTo(right(auroc(g)), DIGITS);
    }),
  );
});

it('law: precision and recall are counts at the thresholds', () => {
  fc.assert(
    fc.property(groups, (g) => {
      const { threshold, precision, recall } = right(precisionRecall(g));
      threshold.forEach((t, k) => {
        const [tp, fp] = [share(g.positives, t) * g.positives.length, share(g.negatives, t) * g.negatives.length];
        expect(precision[k]).toBeCloseTo(tp / (tp + fp), DIGITS);
        expect(recall[k]).toBe(share(g.positives, t));
      });
    }),
  );
});

it('law: the area is 1 if every positive is above all negatives, and the share of positives if all scores are equal', () => {
  fc.assert(
    fc.property(scores, scores, (a, b) => {
      expect(right(aupr({ positives: a.map((s) => s + 9), negatives: b }))).toBeCloseTo(1, DIGITS);
      const flat = { positives: a.map(() => 1), negatives: b.map(() => 1) };
      expect(right(aupr(flat))).toBeCloseTo(a.length / (a.length + b.length), DIGITS);
    }),
  );
});

it('law: an increasing map of all scores changes nothing', () => {
  const map = (xs: ArrayLike<number>) => Array.from(xs, (x) => Math.exp(x / 3) + 2);
  fc.assert(
    fc.property(groups, fc.constantFrom(0.5, 0.8, 0.95, 1), (g, rate) => {
      const mapped = { positives: map(g.positives), negatives: map(g.negatives) };
      expect(right(aupr(mapped))).toBe(right(aupr(g)));
      expect(right(fprAtTpr(mapped, { rate }))).toBe(right(fprAtTpr(g, { rate })));
    }),
  );
});

it('law: the false positive rate is the least at any threshold whose true positive rate is high enough', () => {
  fc.assert(
    fc.property(groups, fc.constantFrom(0.5, 0.75, 1), (g, rate) => {
      const all = [...Array.from(g.positives), ...Array.from(g.negatives)];
      const allowed = all.filter((t) => share(g.positives, t) >= rate).map((t) => share(g.negatives, t));
      expect(right(fprAtTpr(g, { rate }))).toBe(Math.min(...allowed));
    }),
  );
});

it('reaches a rate that rounding puts above the count: 7 of 100 for 0.07', () => {
  const positives = Array.from({ length: 100 }, (_, i) => i);
  expect(right(fprAtTpr({ positives, negatives: [92.5] }, { rate: 0.07 }))).toBe(0);
  expect(right(fprAtTpr({ positives, negatives: [92.5] }, { rate: 0.0701 }))).toBe(1);
});

it('by hand: FPR95 of 20 positives needs 19 of them', () => {
  const positives = Array.from({ length: 20 }, (_, i) => i);
  expect(right(fprAtTpr({ positives, negatives: [0.5, 1.5, -1, 30] }))).toBe(0.5);
});

it.each<[string, ScoredGroups, string]>([
  ['no positives', { positives: [], negatives: [1] }, 'Empty'],
  ['no negatives', { positives: [1], negatives: [] }, 'Empty'],
  ['NaN', { positives: [1], negatives: [Number.NaN] }, 'NotFinite'],
])('refuses %s', (_, input, kind) => {
  for (const metric of [aupr, fprAtTpr, precisionRecall, rocCurve]) expect(metric(input)).toEqual(E.left(refusal(kind)));
});

it.each([0, 1.01, 95, Number.NaN])('refuses a rate of %d', (rate) => {
  expect(() => fprAtTpr({ positives: [1], negatives: [0] }, { rate })).toThrow(refusal('InvalidOption'));
});
