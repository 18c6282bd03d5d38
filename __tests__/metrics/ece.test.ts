import * as fc from 'fast-check';
import { accuracy, binaryRows, calibration } from 'tfjs-laplace';
import { key, uniforms } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { labelled, refusal } from './arbitraries.js';

/** Sums of at most a few thousand numbers below 1 are off by less than 1e-12. */
const DIGITS = 12;

it('by hand: two bins', () => {
  // Confidences 0.9, 0.8, 0.6 and 0.6; the first and the third are right.
  const rows = right(binaryRows([0.1, 0.8, 0.6, 0.4]));
  const { ece, bins } = right(calibration(rows, [0, 0, 1, 1], { bins: 4 }));
  expect(bins).toEqual([
    { lower: 0.5, upper: 0.75, count: 2, confidence: expect.closeTo(0.6, DIGITS), accuracy: 0.5 },
    { lower: 0.75, upper: 1, count: 2, confidence: expect.closeTo(0.85, DIGITS), accuracy: 0.5 },
  ]);
  expect(ece).toBeCloseTo(0.5 * 0.1 + 0.5 * 0.35, DIGITS);
});

it('a bin holds its upper edge and not its lower one', () => {
  const { bins } = right(
    calibration(
      [
        [0.5, 0.5],
        [0.75, 0.25],
        [1, 0],
      ],
      [0, 0, 0],
      { bins: 4 },
    ),
  );
  expect(bins.map(({ upper, count }) => [upper, count])).toEqual([
    [0.5, 1],
    [0.75, 1],
    [1, 1],
  ]);
});

it('takes a confidence that float32 lifted above 1', () => {
  expect(right(calibration([Float32Array.of(1 + 2 ** -23, 0)], [0])).bins).toHaveLength(1);
});

it('is 0 for the perfectly calibrated, and the whole gap for the over-confident', () => {
  // Of ten predictions with confidence p / 10, p are right.
  const levels = [6, 7, 8, 9, 10].flatMap((p) => Array.from({ length: 10 }, (_, i) => ({ p: p / 10, y: i < p ? 1 : 0 })));
  expect(
    right(
      calibration(
        right(binaryRows(levels.map(({ p }) => p))),
        levels.map(({ y }) => y),
      ),
    ).ece,
  ).toBeCloseTo(0, DIGITS);
  const sure = right(calibration(right(binaryRows([1, 1, 1, 1])), [1, 1, 1, 0]));
  expect(sure.ece).toBeCloseTo(0.25, DIGITS);
});

it('is small for labels drawn from the predictions themselves', () => {
  const N = 20_000;
  const p = uniforms(key(1), N);
  const labels = Int32Array.from(uniforms(key(2), N), (u, i) => (u < (p[i] as number) ? 1 : 0));
  const { ece, bins } = right(calibration(right(binaryRows(p)), labels));
  // Accuracy of a bin has a standard error of at most ½/√n: five of them in each bin, weighted by n / N.
  const bound = bins.reduce((sum, { count }) => sum + (count / N) * (2.5 / Math.sqrt(count)), 0);
  expect(ece).toBeLessThan(bound);
  expect(
    right(
      calibration(
        right(binaryRows(p)),
        labels.map((y) => 1 - y),
      ),
    ).ece,
  ).toBeGreaterThan(10 * bound);
});

it('law: bins are a partition: counts add up, and mean accuracy is the accuracy; one bin gives the difference of means', () => {
  fc.assert(
    fc.property(labelled, fc.integer({ min: 1, max: 40 }), ({ probabilities, labels }, M) => {
      const N = labels.length;
      const { ece, bins } = right(calibration(probabilities, labels, { bins: M }));
      expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(N);
      const share = bins.reduce((sum, bin) => sum + bin.count * bin.accuracy, 0) / N;
      expect(share).toBeCloseTo(right(accuracy(probabilities, labels)), DIGITS);
      for (const { lower, upper, confidence } of bins) {
        expect(confidence).toBeGreaterThan(lower - 1e-12);
        expect(confidence).toBeLessThan(upper + 1e-12);
      }
      const confidence = probabilities.reduce((sum, row) => sum + Math.max(...row), 0) / N;
      const whole = right(calibration(probabilities, labels, { bins: 1 })).ece;
      expect(whole).toBeCloseTo(Math.abs(share - confidence), DIGITS);
      // The triangle inequality: finer bins of the same examples can't cancel more.
      expect(ece).toBeGreaterThanOrEqual(whole - 1e-12);
      expect(ece).toBeLessThanOrEqual(1);
    }),
  );
});

it.each([0, 1.5, -3, Number.NaN])('refuses %d bins', (bins) => {
  expect(() => calibration([[1, 0]], [0], { bins })).toThrow(refusal('InvalidOption'));
});
