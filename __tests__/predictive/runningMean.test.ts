/** Sums that draws are added to, against the draws themselves. */
import * as fc from 'fast-check';
import { fewestDraws, maySettle, runningMean } from '../../src/predictive/report/runningMean.js';
import { DESIGNS, type Design, SEQUENCES } from '../../src/random/index.js';
import { FLOAT64, relativeError } from '../support/math/numbers.js';

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length;
const squaresOf = (values: ReadonlyArray<number>): number => values.reduce((sum, v) => sum + (v - meanOf(values)) ** 2, 0);

/** Means of the groups of draws that are independent of each other. */
const groups: Readonly<Record<Design, (x: ReadonlyArray<number>) => number[]>> = {
  independent: (x) => [...x],
  antithetic: (x) => Array.from({ length: Math.floor(x.length / 2) }, (_, k) => meanOf(x.slice(2 * k, 2 * k + 2))),
  quasiRandom: (x) =>
    Array.from({ length: Math.min(SEQUENCES, x.length) }, (_, r) => meanOf(x.filter((_, s) => s % SEQUENCES === r))),
};

const draws = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 4, maxLength: 60 });

describe.each(DESIGNS)('%s', (design) => {
  it('has mean, variance of a draw, and variance of the mean, by their definitions', () => {
    fc.assert(
      fc.property(draws, (x) => {
        const running = runningMean(design, 2);
        for (const v of x) running.add([v, 3 - v]);
        const y = groups[design](x);
        const error = squaresOf(y) / (y.length * (y.length - 1));
        // Sums of numbers up to 10: differences of 1e-14 or so stay where the sum is small.
        const near = (found: Float64Array, a: number, b: number) =>
          expect(relativeError([...found, 100], [a, b, 100])).toBeLessThan(FLOAT64);
        expect(running.samples()).toBe(x.length);
        near(running.mean(), meanOf(x), 3 - meanOf(x));
        near(running.errorVariance() as Float64Array, error, error);
        const variance = squaresOf(x) / x.length + error;
        near(running.variance(), variance, variance);
      }),
    );
  });

  it('knows no error of too few', () => {
    const running = runningMean(design, 1);
    for (let s = 1; s < fewestDraws(design); s++) {
      running.add([s]);
      expect(running.errorVariance()).toBeUndefined();
    }
    running.add([0]);
    expect(running.errorVariance()).toHaveLength(1);
  });

  it('does not stop before there are 8 independent groups, all complete', () => {
    const may = Array.from({ length: 40 }, (_, i) => i + 1).filter((S) => maySettle(design, S));
    const from = (first: number, step: number) => Array.from({ length: 40 }, (_, i) => first + i * step).filter((S) => S <= 40);
    expect(may).toEqual({ independent: from(8, 1), antithetic: from(16, 2), quasiRandom: from(8, 8) }[design]);
  });
});

it('of independent draws the variance is the unbiased one', () => {
  const running = runningMean('independent', 1);
  for (const v of [1, 2, 6]) running.add([v]);
  expect(running.variance()[0]).toBeCloseTo(7, 12);
});
