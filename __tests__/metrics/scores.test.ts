/** Proper scores and accuracy: values by hand, and the laws that make them proper. */

import * as fc from 'fast-check';
import { accuracy, binaryRows, brierScore, correctness, entropy, nll } from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';
import { distribution, expectation, labelled } from './arbitraries.js';

/** Sums of at most 30 numbers of size 1 to 10: 30 roundings of 1e-16 each, with room. */
const DIGITS = 12;

const PROBABILITIES = [
  [0.5, 0.25, 0.25],
  [0.1, 0.2, 0.7],
];
const LABELS = [0, 1];

it('nll by hand: (log 2 + log 5) / 2', () => {
  expect(right(nll(PROBABILITIES, LABELS))).toBeCloseTo(Math.log(10) / 2, DIGITS);
});

it('nll of an impossible label is infinite, of a certain one 0', () => {
  expect(right(nll([[1, 0]], [1]))).toBe(Number.POSITIVE_INFINITY);
  expect(right(nll([[1, 0]], [0]))).toBe(0);
  expect(right(nll([Float32Array.of(1 + 2 ** -23, 0)], [0]))).toBe(0);
});

it('brierScore by hand: (0.25 + 0.0625 + 0.0625 + 0.01 + 0.64 + 0.49) / 2', () => {
  expect(right(brierScore(PROBABILITIES, LABELS))).toBeCloseTo(1.515 / 2, DIGITS);
});

it('brierScore runs from 0 to 2', () => {
  expect(right(brierScore([[1, 0]], [0]))).toBe(0);
  expect(right(brierScore([[1, 0]], [1]))).toBe(2);
});

it('accuracy by hand', () => {
  expect(right(correctness(PROBABILITIES, LABELS))).toEqual(Uint8Array.of(1, 0));
  expect(right(accuracy(PROBABILITIES, LABELS))).toBe(0.5);
});

it('binary: the Brier score is twice (p − y)², the NLL is the cross entropy', () => {
  const rows = right(binaryRows([0.75, 0.25]));
  expect(right(brierScore(rows, [1, 1]))).toBeCloseTo(0.0625 + 0.5625, DIGITS);
  expect(right(nll(rows, [1, 0]))).toBeCloseTo(-Math.log(0.75), DIGITS);
});

const pairOfForecasts = fc.integer({ min: 2, max: 5 }).chain((C) => fc.tuple(distribution(C), distribution(C)));

describe.each([['nll', nll] as const, ['brierScore', brierScore] as const])('%s', (_, score) => {
  it('law: proper: in expectation no forecast does better than the truth', () => {
    fc.assert(
      fc.property(pairOfForecasts, ([truth, other]) => {
        const slack = 10 ** -DIGITS;
        expect(expectation(score, truth, truth)).toBeLessThanOrEqual(expectation(score, truth, other) + slack);
      }),
    );
  });
});

it('law: what another forecast costs is, for nll, the Kullback–Leibler divergence; for brierScore, the squared distance', () => {
  fc.assert(
    fc.property(pairOfForecasts, ([truth, other]) => {
      const excess = (score: typeof nll) => expectation(score, truth, other) - expectation(score, truth, truth);
      const kl = truth.reduce((sum, p, c) => sum + p * Math.log(p / (other[c] as number)), 0);
      const distance = truth.reduce((sum, p, c) => sum + (p - (other[c] as number)) ** 2, 0);
      expect(excess(nll)).toBeCloseTo(kl, DIGITS);
      expect(excess(brierScore)).toBeCloseTo(distance, DIGITS);
    }),
  );
});

it('law: a metric of a whole is the weighted mean of its parts', () => {
  fc.assert(
    fc.property(labelled, labelled, (a, b) => {
      fc.pre(a.probabilities[0]?.length === b.probabilities[0]?.length);
      for (const metric of [nll, brierScore, accuracy]) {
        const of = (...args: Parameters<typeof nll>): number => right(metric(...args));
        const whole = of([...a.probabilities, ...b.probabilities], [...a.labels, ...b.labels]);
        const sum = of(a.probabilities, a.labels) * a.labels.length + of(b.probabilities, b.labels) * b.labels.length;
        expect(whole).toBeCloseTo(sum / (a.labels.length + b.labels.length), DIGITS);
      }
    }),
  );
});

describe('entropy', () => {
  it('by hand', () => {
    const [certain, fair, mixed] = right(
      entropy([
        [1, 0],
        [0.5, 0.5],
        [0.25, 0.75],
      ]),
    );
    expect(certain).toBe(0);
    expect(fair).toBeCloseTo(Math.LN2, DIGITS);
    expect(mixed).toBeCloseTo(0.5623351446188083, DIGITS); // 2 log 2 − ¾ log 3
  });

  it('is never below 0, whatever float32 did', () => {
    expect(right(entropy([Float32Array.of(1 + 2 ** -23, 0)]))).toEqual(Float64Array.of(0));
  });

  it('law: it is the expected nll of the truth, at most log C', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }).chain(distribution), (p) => {
        const [h] = right(entropy([p])) as unknown as [number];
        expect(h).toBeCloseTo(expectation(nll, p, p), DIGITS);
        expect(h).toBeLessThanOrEqual(Math.log(p.length) + 10 ** -DIGITS);
      }),
    );
  });
});
