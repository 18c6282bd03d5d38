/** The density of a count with given moments: against its own moments, the mixture that it is, and Poisson's formula. */
import { countNll, numberNll } from 'tfjs-laplace/extend';

/** log y! */
const logFactorial = (y: number): number => Array.from({ length: y }, (_, k) => Math.log(k + 1)).reduce((a, b) => a + b, 0);

const POISSON = (rate: number, y: number): number => rate - y * Math.log(rate) + logFactorial(y);

const MOMENTS: ReadonlyArray<[mean: number, variance: number]> = [
  [3, 3],
  [3, 7.5],
  [0.25, 4],
  [40, 60],
];

describe('the NLL of a count', () => {
  it.each(MOMENTS)('is that of a distribution with mean %s and variance %s', (mean, variance) => {
    const all = Array.from({ length: 2000 }, (_, y) => Math.exp(-countNll(mean, variance, y)));
    const moment = (k: number): number => all.reduce((sum, p, y) => sum + p * y ** k, 0);
    expect(moment(0)).toBeCloseTo(1, 9);
    expect(moment(1)).toBeCloseTo(mean, 7);
    expect(moment(2) - moment(1) ** 2).toBeCloseTo(variance, 5);
  });

  it('is that of Poisson counts whose rates have a gamma distribution', () => {
    const [mean, variance] = [3, 7.5];
    // A gamma distribution of this shape and scale has the rates' mean and variance.
    const [shape, scale] = [mean ** 2 / (variance - mean), (variance - mean) / mean];
    const step = 1e-3;
    const rates = Array.from({ length: 60000 }, (_, i) => (i + 0.5) * step);
    const gamma = rates.map((rate) => rate ** (shape - 1) * Math.exp(-rate / scale));
    const total = gamma.reduce((a, b) => a + b, 0);
    for (const y of [0, 1, 4, 15]) {
      const p = rates.reduce((sum, rate, i) => sum + (gamma[i] as number) * Math.exp(-POISSON(rate, y)), 0) / total;
      // The midpoint rule with steps of 1e-3.
      expect(countNll(mean, variance, y)).toBeCloseTo(-Math.log(p), 5);
    }
  });

  it('is that of a Poisson count if the variance is the mean', () => {
    for (const rate of [1e-20, 0.03, 2, 300]) {
      for (const y of [0, 1, 7, 700]) {
        // A sum of 700 logarithms rounds.
        expect(countNll(rate, rate, y) / POISSON(rate, y)).toBeCloseTo(1, 11);
        expect(countNll(rate, rate / 2, y)).toBe(countNll(rate, rate, y));
      }
    }
    // Moments in float32: to first order the excess e moves it by ½ e ((y − rate)² − y) / rate².
    for (const y of [0, 7, 300, 700]) {
      const moved = (0.5 * 1e-7 * ((y - 300) ** 2 - y)) / 300;
      expect(countNll(300, 300 * (1 + 1e-7), y) - POISSON(300, y)).toBeCloseTo(-moved, 7);
    }
  });

  it('goes over into that of numbers without a jump', () => {
    const [below, above] = [countNll(9999, 20000, 9999), countNll(10000, 20000, 10000)];
    expect(Math.abs(above - below)).toBeLessThan(1e-3);
    expect(above).toBe(numberNll(10000, 20000, 10000));
  });

  it('is infinite only for a count that cannot be', () => {
    expect(countNll(0, 0, 0)).toBe(Number.MIN_VALUE);
    expect(countNll(0, 0, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(Number.isFinite(countNll(1e-45, 1e38, 9000))).toBe(true);
  });
});
