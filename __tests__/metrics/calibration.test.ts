/** Binnings, classwise calibration and the parts of the Brier score: values by hand, and laws. */
import * as fc from 'fast-check';
import { brierDecomposition, brierScore, calibration, classwiseCalibration } from 'tfjs-laplace';
import { key, uniforms } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { labelled, refusal } from './arbitraries.js';

/** Sums of at most a few thousand numbers below 1 are off by less than 1e-12. */
const DIGITS = 12;
const binary = (p: ArrayLike<number>) => Array.from(p, (own) => [own]);

const options = fc.record({
  bins: fc.integer({ min: 1, max: 20 }),
  binning: fc.constantFrom('width' as const, 'mass' as const),
});

describe('calibration', () => {
  it('by hand: MCE is the largest gap, and the squared gaps are weighted by their bins', () => {
    // Bin (½, ¾]: one of two right at 0.6 and 0.7; bin (¾, 1]: one of one right at 0.8.
    const { mce, squared, debiasedSquared, confidence, accuracy } = right(
      calibration(binary([0.6, 0.7, 0.8]), [1, 0, 1], { bins: 4 }),
    );
    expect(mce).toBeCloseTo(0.2, DIGITS);
    expect(squared).toBeCloseTo((2 * 0.15 ** 2 + 0.2 ** 2) / 3, DIGITS);
    // The single prediction counts 0; the two have the variance ½ · ½ / 1.
    expect(debiasedSquared).toBeCloseTo((2 * (0.15 ** 2 - 0.25)) / 3, DIGITS);
    expect(confidence).toBeCloseTo(0.7, DIGITS);
    expect(accuracy).toBeCloseTo(2 / 3, DIGITS);
  });

  it('by hand: bins of equal mass hold equally many, in order, and their edges are their highest confidences', () => {
    const { bins } = right(calibration(binary([0.9, 0.6, 0.8, 0.7, 0.55]), [1, 1, 1, 1, 1], { bins: 2, binning: 'mass' }));
    expect(bins).toEqual([
      { lower: 0, upper: 0.7, count: 3, confidence: expect.closeTo(1.85 / 3, DIGITS), accuracy: 1 },
      { lower: 0.7, upper: 0.9, count: 2, confidence: expect.closeTo(0.85, DIGITS), accuracy: 1 },
    ]);
  });

  it('law: bins of equal mass differ by at most one prediction, if no two confidences are equal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), (N, M) => {
        const p = Array.from(uniforms(key(N), N), (u) => 0.5 + u / 2);
        const { bins } = right(calibration(binary(p), new Uint8Array(N), { bins: M, binning: 'mass' }));
        const counts = bins.map(({ count }) => count);
        expect(counts).toHaveLength(Math.min(N, M));
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('law: for each binning, ECE <= √squared <= MCE, every prediction lies in its bin, and the order does not matter', () => {
    fc.assert(
      fc.property(labelled, options, ({ probabilities, labels }, own) => {
        const found = right(calibration(probabilities, labels, own));
        expect(found.ece).toBeLessThanOrEqual(Math.sqrt(found.squared) + 1e-12);
        expect(Math.sqrt(found.squared)).toBeLessThanOrEqual(found.mce + 1e-12);
        expect(found.debiasedSquared).toBeLessThanOrEqual(found.squared + 1e-12);
        expect(found.bins.reduce((sum, { count }) => sum + count, 0)).toBe(labels.length);
        for (const { lower, upper, confidence } of found.bins) {
          expect(confidence).toBeGreaterThan(lower - 1e-12);
          expect(confidence).toBeLessThan(upper + 1e-12);
        }
        const reversed = right(calibration([...probabilities].reverse(), [...labels].reverse(), own));
        expect(reversed.ece).toBeCloseTo(found.ece, DIGITS);
        expect(reversed.bins.map(({ count }) => count)).toEqual(found.bins.map(({ count }) => count));
      }),
    );
  });

  it('the debiased error is 0 on average for labels drawn from the predictions, where the squared error is not', () => {
    const [runs, N] = [400, 60];
    let [biased, debiased, spread] = [0, 0, 0];
    for (let run = 0; run < runs; run++) {
      const p = Array.from(uniforms(key(2 * run), N), (u) => 0.5 + u / 2);
      const labels = Uint8Array.from(uniforms(key(2 * run + 1), N), (u, i) => (u < (p[i] as number) ? 1 : 0));
      const found = right(calibration(binary(p), labels, { bins: 6, binning: 'mass' }));
      biased += found.squared / runs;
      debiased += found.debiasedSquared / runs;
      spread += found.debiasedSquared ** 2 / runs;
    }
    const standardError = Math.sqrt(spread / runs);
    expect(Math.abs(debiased)).toBeLessThan(5 * standardError);
    expect(biased).toBeGreaterThan(20 * standardError);
  });

  it.each(['equal', 'Width', 3, null])('refuses the binning %p', (binning) => {
    expect(() => calibration([[1, 0]], [0], { binning: binning as never })).toThrow(refusal('InvalidOption'));
  });
});

describe('classwiseCalibration', () => {
  it('law: of two classes both have the same error, and the scores of a class are its probabilities', () => {
    fc.assert(
      fc.property(labelled, ({ probabilities, labels }) => {
        const { classes } = right(classwiseCalibration(probabilities, labels, { bins: 1 }));
        classes.forEach(({ confidence, accuracy, ece }, c) => {
          const mean = probabilities.reduce((sum, row) => sum + (row[c] as number), 0) / labels.length;
          const share = labels.filter((y) => y === c).length / labels.length;
          expect(confidence).toBeCloseTo(mean, DIGITS);
          expect(accuracy).toBeCloseTo(share, DIGITS);
          expect(ece).toBeCloseTo(Math.abs(mean - share), DIGITS);
        });
      }),
    );
  });

  it('takes a probability of 0', () => {
    expect(right(classwiseCalibration([[1, 0]], [0])).ece).toBe(0);
  });
});

describe('brierDecomposition', () => {
  it('law: the parts make the Brier score, for each binning', () => {
    fc.assert(
      fc.property(labelled, options, ({ probabilities, labels }, own) => {
        const parts = right(brierDecomposition(probabilities, labels, own));
        const { reliability, resolution, uncertainty, remainder } = parts;
        const score = right(brierScore(probabilities, labels));
        expect(reliability - resolution + uncertainty + remainder).toBeCloseTo(score, DIGITS);
        expect(parts.brierScore).toBeCloseTo(score, DIGITS);
        for (const part of [reliability, resolution, uncertainty]) expect(part).toBeGreaterThanOrEqual(0);
        expect(resolution).toBeLessThanOrEqual(uncertainty + 1e-12);
      }),
    );
  });

  it('law: no remainder if the probabilities in a bin are equal: it is Murphy’s decomposition', () => {
    const levels = fc.array(fc.tuple(fc.constantFrom(0.05, 0.35, 0.65, 0.95), fc.nat(1)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(levels, (list) => {
        const parts = right(
          brierDecomposition(
            binary(list.map(([p]) => p)),
            list.map(([, y]) => y),
            { bins: 10 },
          ),
        );
        expect(parts.remainder).toBeCloseTo(0, DIGITS);
      }),
    );
  });

  it('by hand: a climatology has neither reliability nor resolution', () => {
    const parts = right(brierDecomposition(binary([0.25, 0.25, 0.25, 0.25]), [1, 0, 0, 0]));
    expect(parts).toEqual({ brierScore: 0.375, reliability: 0, resolution: 0, uncertainty: 0.375, remainder: 0 });
  });
});
