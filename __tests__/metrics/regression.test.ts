import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { type GaussianPredictions, gaussianNll, intervalCoverage, rmse } from 'tfjs-laplace';
import { key, normals } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';

/** A few operations on numbers of size 1 to 100. */
const DIGITS = 11;

const one = (y: number, mean: number, variance: number): GaussianPredictions => ({
  targets: [[y]],
  mean: [[mean]],
  variance: [[variance]],
});

it('gaussianNll by hand: ½ log 2π at the mean with variance 1, and half a squared deviation more', () => {
  const base = 0.9189385332046727;
  expect(right(gaussianNll(one(0, 0, 1)))).toBeCloseTo(base, DIGITS);
  expect(right(gaussianNll(one(4, 1, 9)))).toBeCloseTo(base + Math.log(3) + 0.5, DIGITS);
});

it('gaussianNll adds over outputs and averages over examples', () => {
  const targets = [
    [0, 0],
    [2, 0],
  ];
  const zeros = [Float32Array.of(0, 0), Float32Array.of(0, 0)];
  const ones = [
    [1, 1],
    [1, 1],
  ];
  expect(right(gaussianNll({ targets, mean: zeros, variance: ones }))).toBeCloseTo(2 * 0.9189385332046727 + 1, DIGITS);
});

it('law: over a few targets the nll is least at their mean and variance', () => {
  const number = fc.integer({ min: -50, max: 50 });
  fc.assert(
    fc.property(
      fc.uniqueArray(number, { minLength: 2, maxLength: 8 }),
      number,
      fc.integer({ min: 1, max: 3000 }),
      (ys, mean, variance) => {
        const score = (m: number, v: number) =>
          right(gaussianNll({ targets: ys.map((y) => [y]), mean: ys.map(() => [m]), variance: ys.map(() => [v]) }));
        const m = ys.reduce((sum, y) => sum + y, 0) / ys.length;
        const v = ys.reduce((sum, y) => sum + (y - m) ** 2, 0) / ys.length;
        expect(score(m, v)).toBeLessThanOrEqual(score(mean, variance) + 10 ** -DIGITS);
      },
    ),
  );
});

it('rmse by hand, over all entries', () => {
  expect(
    right(
      rmse(
        [
          [1, 2],
          [3, 4],
        ],
        [
          [1, 2],
          [3, 8],
        ],
      ),
    ),
  ).toBe(2);
});

// Quantiles of the normal distribution, from its tables: 0.6827 lies within 1, 0.95 within 1.959963984540054.
it.each([
  [0.6826894921370859, 1],
  [0.9, 1.6448536269514722],
  [0.95, 1.959963984540054],
  [0.99, 2.5758293035489004],
  [0.999999, 4.891638475698762],
])('an interval of probability %d reaches %d standard deviations', (level, z) => {
  const within = (t: number) => right(intervalCoverage(one(3 - 2 * t, 3, 4), { level }));
  expect(within(z * (1 - 1e-7))).toBe(1);
  expect(within(z * (1 + 1e-7))).toBe(0);
});

it('covers nothing of what is far away, however far', () => {
  expect(right(intervalCoverage(one(1e9, 0, 1), { level: 0.999999 }))).toBe(0);
  expect(right(intervalCoverage(one(0, 0, 1), { level: 0.001 }))).toBe(1);
});

it('calibrated predictions have the coverage that they say', () => {
  const N = 10_000;
  const z = normals(key(3), N);
  const predictions = {
    targets: Array.from(z, (v) => [5 + 3 * v]),
    mean: Array.from(z, () => [5]),
    variance: Array.from(z, () => [9]),
  };
  for (const level of [0.5, 0.8, 0.95]) {
    // Five standard errors of a share.
    expect(Math.abs(right(intervalCoverage(predictions, { level })) - level)).toBeLessThan(
      5 * Math.sqrt((level * (1 - level)) / N),
    );
  }
  expect(right(intervalCoverage(predictions))).toBe(right(intervalCoverage(predictions, { level: 0.95 })));
});

it.each<[string, GaussianPredictions, string]>([
  ['no rows', { targets: [], mean: [], variance: [] }, 'Empty'],
  ['a variance of 0', one(0, 0, 0), 'InvalidInput'],
  ['a negative variance', one(0, 0, -1), 'InvalidInput'],
  ['a variance that is NaN', one(0, 0, Number.NaN), 'NotFinite'],
  ['a target that is NaN', one(Number.NaN, 0, 1), 'NotFinite'],
  ['an infinite mean', one(0, Number.POSITIVE_INFINITY, 1), 'NotFinite'],
  ['a row too few', { targets: [[1], [2]], mean: [[1]], variance: [[1], [1]] }, 'InvalidInput'],
  ['a column too few', { targets: [[1, 2]], mean: [[1, 2]], variance: [[1]] }, 'InvalidInput'],
])('refuses %s', (_, predictions, kind) => {
  expect(gaussianNll(predictions)).toEqual(E.left(refusal(kind)));
  expect(intervalCoverage(predictions)).toEqual(E.left(refusal(kind)));
});

it.each([0, 1, -0.5, Number.NaN])('refuses a level of %d', (level) => {
  expect(() => intervalCoverage(one(0, 0, 1), { level })).toThrow(refusal('InvalidOption'));
});

it('rmse refuses tables of different shapes', () => {
  expect(rmse([[1]], [[1, 2]])).toEqual(E.left(refusal('InvalidInput')));
  expect(rmse([[1]], [[Number.NaN]])).toEqual(E.left(refusal('NotFinite')));
});
