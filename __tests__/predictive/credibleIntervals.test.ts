/** Intervals: as wide as they say, by Monte Carlo; monotone in the level; and the normal quantile behind them. */
import fc from 'fast-check';
import { credibleIntervals, type Regression } from 'tfjs-laplace';
import { centralProbability, centralQuantile, normalProbability } from '../../src/random/normal.js';
import { normalSource, STANDARD_ERRORS, take, uniformSource } from '../support/math/monteCarlo.js';

const regression = (mean: number, epistemic: number, noise: number, support: Regression['support'] = 'real'): Regression => {
  const rows = (v: number) => [Float32Array.of(v)];
  return {
    _tag: 'regression',
    support,
    mean: rows(mean),
    epistemicVariance: rows(epistemic),
    noiseVariance: rows(noise),
    totalVariance: rows(epistemic + noise),
  };
};

type Ask = Parameters<typeof credibleIntervals>[1];
const interval = (prediction: Regression, options?: Ask): [number, number] => {
  const { lower, upper } = credibleIntervals(prediction, options);
  return [lower[0]?.[0] as number, upper[0]?.[0] as number];
};

const LEVELS = [0.5, 0.8, 0.95, 0.99] as const;
const DRAWS = 40_000;

/** The share of draws in an interval, minus the level, in standard errors. */
function missed(prediction: Regression, options: { level: number; of: 'label' | 'mean' }, draw: () => number): number {
  const [low, high] = interval(prediction, options);
  const hits = take(DRAWS, draw).filter((y) => y >= low && y <= high).length / DRAWS;
  return (hits - options.level) / Math.sqrt((options.level * (1 - options.level)) / DRAWS);
}

/** Counts by multiplying uniforms (Knuth). */
function poisson(rate: number, uniform: () => number): number {
  let [k, p] = [0, uniform()];
  for (; p > Math.exp(-rate); k++) p *= uniform();
  return k;
}

describe.each(LEVELS)('at level %d', (level) => {
  it('covers the labels and the mean of a Gaussian regression', () => {
    const prediction = regression(3, 2, 0.5);
    const normal = normalSource(5);
    expect(Math.abs(missed(prediction, { level, of: 'label' }, () => 3 + Math.sqrt(2.5) * normal()))).toBeLessThan(
      STANDARD_ERRORS,
    );
    expect(Math.abs(missed(prediction, { level, of: 'mean' }, () => 3 + Math.sqrt(2) * normal()))).toBeLessThan(STANDARD_ERRORS);
  });

  it('covers the rate of counts: log-normal, so exactly', () => {
    const [mu, v] = [0.7, 0.6];
    const rate = Math.exp(mu + v / 2);
    const normal = normalSource(6);
    const draw = () => Math.exp(mu + Math.sqrt(v) * normal());
    const prediction = regression(rate, rate ** 2 * Math.expm1(v), rate, 'counts');
    expect(Math.abs(missed(prediction, { level, of: 'mean' }, draw))).toBeLessThan(STANDARD_ERRORS);
  });

  it('covers counts of a known rate at least so often, and no more than its own ends make of it', () => {
    const rate = 4.2;
    const uniform = uniformSource(7);
    const prediction = regression(rate, 0, rate, 'counts');
    const draws = take(DRAWS, () => poisson(rate, uniform));
    const [low, high] = interval(prediction, { level });
    const share = (from: number, to: number) => draws.filter((y) => y >= from && y <= to).length / DRAWS;
    const error = STANDARD_ERRORS * Math.sqrt((level * (1 - level)) / DRAWS);
    expect(share(low, high)).toBeGreaterThan(level - error);
    // Central: without an end what is left on its side is more than it may be.
    expect(share(0, low)).toBeGreaterThan((1 - level) / 2 - error);
    expect(share(high, 1e9)).toBeGreaterThan((1 - level) / 2 - error);
  });

  it('covers counts of an uncertain rate within 0.02 of it, for a negative binomial has the moments of that mixture alone', () => {
    const [mu, v] = [2.5, 0.2];
    const rate = Math.exp(mu + v / 2);
    const [normal, uniform] = [normalSource(8), uniformSource(9)];
    const [low, high] = interval(regression(rate, rate ** 2 * Math.expm1(v), rate, 'counts'), { level });
    const draws = take(DRAWS, () => poisson(Math.exp(mu + Math.sqrt(v) * normal()), uniform));
    const hits = draws.filter((y) => y >= low && y <= high).length / DRAWS;
    const end = draws.filter((y) => y === low || y === high).length / DRAWS;
    expect(hits).toBeGreaterThan(level - 0.02);
    expect(hits).toBeLessThan(level + 0.02 + end);
  });
});

const predictions = fc
  .record({
    mean: fc.double({ min: 0.01, max: 1e4, noNaN: true }),
    epistemic: fc.double({ min: 0, max: 1e4, noNaN: true }),
    noise: fc.double({ min: 1e-3, max: 1e4, noNaN: true }),
    support: fc.constantFrom('real' as const, 'counts' as const),
  })
  .map(({ mean, epistemic, noise, support }) => regression(mean, epistemic, support === 'counts' ? mean : noise, support));
const levels = fc.double({ min: 1e-6, max: 1 - 1e-9, noNaN: true });

it('grows with the level, and a label is less sure than its mean', () => {
  fc.assert(
    fc.property(predictions, levels, levels, (prediction, a, b) => {
      for (const what of ['label', 'mean'] as const) {
        const [inner, outer] = [Math.min(a, b), Math.max(a, b)].map((level) => interval(prediction, { level, of: what })) as [
          [number, number],
          [number, number],
        ];
        expect(outer[0]).toBeLessThanOrEqual(inner[0]);
        expect(outer[1]).toBeGreaterThanOrEqual(inner[1]);
        if (prediction.support === 'counts') expect(outer[0]).toBeGreaterThanOrEqual(0);
      }
      if (prediction.support === 'real') {
        expect(interval(prediction, { level: a })[1]).toBeGreaterThanOrEqual(interval(prediction, { level: a, of: 'mean' })[1]);
      }
    }),
    { seed: 4 },
  );
});

it('turns from counts to numbers without a jump', () => {
  // Standard deviations just below and above 1e5: the two forms differ in skewness, by some 1e-2 of a standard deviation here.
  const [mean, below, above] = [1e7, 0.998e10, 1.002e10];
  const [a, b] = [below, above].map((v) => interval(regression(mean, v - mean, mean, 'counts'))) as [
    [number, number],
    [number, number],
  ];
  expect(Math.abs(a[0] - b[0]) / 1e5).toBeLessThan(0.02);
  expect(Math.abs(a[1] - b[1]) / 1e5).toBeLessThan(0.02);
});

it('defaults to labels at 0.95, and keeps the shape', () => {
  const rows = [Float32Array.of(0, 1, 2), Float32Array.of(3, 4, 5)];
  const ones = rows.map((row) => row.map(() => 1));
  const prediction: Regression = {
    ...regression(0, 1, 0),
    mean: rows,
    epistemicVariance: ones,
    noiseVariance: ones,
    totalVariance: ones,
  };
  const { lower, upper } = credibleIntervals(prediction);
  expect(lower.map((r) => r.length)).toEqual([3, 3]);
  upper.forEach((row, b) => row.forEach((v, t) => expect(v).toBeCloseTo((rows[b]?.[t] as number) + 1.959964, 5)));
  expect(credibleIntervals({ ...prediction, mean: [], totalVariance: [] })).toEqual({ lower: [], upper: [] });
});

it.each([0, 1, -0.5, Number.NaN])('refuses level %d', (level) => {
  expect(() => credibleIntervals(regression(0, 1, 1), { level })).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', field: 'level' }),
  );
});

it('refuses intervals of anything else', () => {
  expect(() => credibleIntervals(regression(0, 1, 1), { of: 'noise' as never })).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', field: 'of' }),
  );
});

it('has the quantiles of tables of the normal distribution, and is the inverse of the probability', () => {
  const table = [
    [0.5, 0.6744897501960817],
    [0.9, 1.6448536269514722],
    [0.95, 1.959963984540054],
    [0.99, 2.5758293035489004],
  ] as const;
  for (const [level, z] of table) expect(centralQuantile(level)).toBeCloseTo(z, 12);
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1 - 1e-12, noNaN: true }), (level) => {
      expect(Math.abs(centralProbability(centralQuantile(level)) - level)).toBeLessThan(1e-14);
    }),
  );
  expect(normalProbability(0)).toBe(0.5);
  expect(normalProbability(-1.959963984540054)).toBeCloseTo(0.025, 14);
  expect([normalProbability(-40), normalProbability(40)]).toEqual([0, 1]);
});
