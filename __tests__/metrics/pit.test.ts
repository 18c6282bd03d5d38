/** The calibration of quantiles, by definition. `reference.test.ts` compares with Uncertainty Toolbox. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { type GaussianPredictions, intervalCalibration, pitValues, quantileCalibration } from 'tfjs-laplace';
import { key, normals } from '../../src/random/index.js';
import { centralQuantile } from '../../src/random/normal.js';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';

/** Sums of at most 100 shares. */
const DIGITS = 12;

const pit = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.nat(10).map((k) => k / 10),
);
const rows = fc.array(fc.array(pit, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 20 });

it('law: shares and errors are those of the definition, one level at a time', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 2, max: 30 }), (list, levels) => {
      const all = list.flat();
      const share = (test: (p: number) => boolean) => all.filter(test).length / all.length;
      const expected = Array.from({ length: levels }, (_, k) => k / (levels - 1));
      const found = right(quantileCalibration(list, { levels }));
      const gaps = expected.map((level) => share((p) => p <= level) - level);
      expect(Array.from(found.expected)).toEqual(expected);
      expect(Array.from(found.observed)).toEqual(expected.map((level) => share((p) => p <= level)));
      expect(found.meanAbsolute).toBeCloseTo(gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / levels, DIGITS);
      expect(found.rootMeanSquared).toBeCloseTo(Math.hypot(...gaps) / Math.sqrt(levels), DIGITS);
      const bins = expected.slice(1).map((upper, k) => share((p) => p <= upper && (k === 0 || p > (expected[k] as number))));
      expect(Array.from(found.histogram)).toEqual(bins);
    }),
  );
});

it('a share of the targets is at or below the predicted quantile of each level', () => {
  const z = normals(key(1), 300);
  const own: GaussianPredictions = {
    targets: Array.from(z, (v, i) => [i + 3 * v]),
    mean: Array.from(z, (_, i) => [i + 0.5]),
    variance: Array.from(z, () => [4]),
  };
  const { expected, observed } = right(quantileCalibration(right(pitValues(own)), { levels: 11 }));
  expected.forEach((level, k) => {
    if (level === 0 || level === 1) return;
    const quantile = level === 0.5 ? 0 : Math.sign(level - 0.5) * centralQuantile(Math.abs(2 * level - 1));
    const below = own.targets.filter((row, i) => (row[0] as number) <= i + 0.5 + 2 * quantile);
    expect(observed[k]).toBe(below.length / 300);
  });
});

it('shows a bias that central intervals of the right width hide', () => {
  // A mean that is too low by 1.5 deviations, and deviations so wide that the central half holds half of the targets.
  const z = normals(key(2), 2000);
  const own: GaussianPredictions = {
    targets: Array.from(z, (v) => [v + 1.5]),
    mean: Array.from(z, () => [0]),
    variance: Array.from(z, () => [(1.5 / centralQuantile(0.5)) ** 2]),
  };
  const quantiles = right(quantileCalibration(right(pitValues(own)), { levels: 3 }));
  const intervals = right(intervalCalibration(own, { levels: 3 }));
  // Φ(−1.5) of the targets, 7 %, are below the median, and about half are in the central half: 4 standard errors of 2000 entries.
  expect(Math.abs((quantiles.observed[1] as number) - 0.0668)).toBeLessThan(4 * Math.sqrt((0.0668 * 0.9332) / 2000));
  expect(Math.abs((intervals.observed[1] as number) - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / 2000));
});

it.each<[string, unknown, string]>([
  ['no rows', [], 'Empty'],
  ['one number for each example', [0.5], 'InvalidInput'],
  ['what is above 1', [[0.5], [1.5]], 'InvalidInput'],
  ['what is below 0', [[-0.5]], 'InvalidInput'],
  ['NaN', [[Number.NaN]], 'NotFinite'],
])('refuses %s', (_, list, kind) => {
  expect(quantileCalibration(list as never)).toEqual(E.left(refusal(kind)));
});

it('names the place of what is no probability', () => {
  expect(quantileCalibration([[0.5], [1.5]])).toEqual(
    E.left(expect.objectContaining({ message: expect.stringContaining('pit[1][0]') })),
  );
});
