/** Standard errors, paired differences and the bootstrap. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { accuracy, bootstrap, brierScore, classLosses, meanWithError, nll, pairedDifference } from 'tfjs-laplace';
import { key, normals } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { labelled, refusal } from './arbitraries.js';

const DIGITS = 12;
const meanOf = (values: ArrayLike<number>) => (indices: Uint32Array) =>
  E.right(indices.reduce((sum, i) => sum + (values[i] as number), 0) / indices.length);

it('law: accuracy, nll and Brier score are the means of their losses', () => {
  fc.assert(
    fc.property(labelled, ({ probabilities, labels }) => {
      const { zeroOne, nll: logLosses, brierScore: scores } = right(classLosses(probabilities, labels));
      expect(1 - right(meanWithError(zeroOne)).value).toBeCloseTo(right(accuracy(probabilities, labels)), DIGITS);
      expect(right(meanWithError(logLosses)).value).toBeCloseTo(right(nll(probabilities, labels)), DIGITS);
      expect(right(meanWithError(scores)).value).toBeCloseTo(right(brierScore(probabilities, labels)), DIGITS);
    }),
  );
});

describe('meanWithError', () => {
  it('by hand: s / √N, with N − 1', () => {
    expect(right(meanWithError([1, 2, 3, 4])).standardError).toBeCloseTo(Math.sqrt(5 / 3 / 4), DIGITS);
    expect(right(meanWithError([7]))).toEqual({ value: 7, standardError: Number.POSITIVE_INFINITY });
  });

  it('is the spread of means: two of three lie within one standard error', () => {
    const within = Array.from({ length: 300 }, (_, run) => right(meanWithError(normals(key(run), 50)))).filter(
      ({ value, standardError }) => Math.abs(value) <= standardError,
    );
    // 0.68, with a standard error of 0.027.
    expect(within.length / 300).toBeGreaterThan(0.68 - 5 * 0.027);
    expect(within.length / 300).toBeLessThan(0.68 + 5 * 0.027);
  });
});

describe('pairedDifference', () => {
  const list = fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 })), { minLength: 2 });

  it('law: it is the difference of the means, and the same error the other way round', () => {
    fc.assert(
      fc.property(list, (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const there = right(pairedDifference(a, b));
        expect(there.value).toBeCloseTo(right(meanWithError(a)).value - right(meanWithError(b)).value, 10);
        const back = right(pairedDifference(b, a));
        expect(back.value).toBeCloseTo(-there.value, DIGITS);
        expect(back.standardError).toBeCloseTo(there.standardError, DIGITS);
      }),
    );
  });

  it('is far surer than two means if an example is hard for both', () => {
    const hard = Array.from(normals(key(1), 500), (z) => 10 * z);
    const better = Array.from(normals(key(2), 500), (z, i) => (hard[i] as number) - 0.5 + 0.1 * z);
    const { value, standardError } = right(pairedDifference(better, hard));
    expect(Math.abs(value + 0.5)).toBeLessThan(5 * standardError);
    expect(standardError).toBeLessThan(right(meanWithError(hard)).standardError / 50);
  });

  it.each<[string, ReadonlyArray<number>, ReadonlyArray<number>, string]>([
    ['nothing', [], [], 'Empty'],
    ['lists of different lengths', [1, 2], [1], 'InvalidInput'],
    ['infinity', [1, Number.POSITIVE_INFINITY], [1, 2], 'NotFinite'],
    ['NaN', [1, 2], [1, Number.NaN], 'NotFinite'],
  ])('refuses %s', (_, values, baseline, kind) => {
    expect(pairedDifference(values, baseline)).toEqual(E.left(refusal(kind)));
  });
});

describe('bootstrap', () => {
  const values = Array.from(normals(key(9), 200), (z) => 3 + 2 * z);

  it('has the standard error and the interval of a mean', () => {
    const { value, standardError, lower, upper } = right(bootstrap(200, meanOf(values), { resamples: 4000, level: 0.9 }));
    const mean = right(meanWithError(values));
    expect(value).toBeCloseTo(mean.value, DIGITS);
    // A standard deviation of 4000 replicates is known to 1.1 %; without N − 1 it is 0.25 % too small.
    expect(Math.abs(standardError / mean.standardError - 1)).toBeLessThan(0.06);
    expect(upper - value).toBeGreaterThan(1.645 * 0.9 * mean.standardError);
    expect(upper - value).toBeLessThan(1.645 * 1.1 * mean.standardError);
    expect(value - lower).toBeGreaterThan(1.645 * 0.9 * mean.standardError);
    expect(value - lower).toBeLessThan(1.645 * 1.1 * mean.standardError);
  });

  it('draws every index equally often, with replacement', () => {
    const counts = new Float64Array(10);
    let distinct = 0;
    right(
      bootstrap(10, (indices) => {
        for (const i of indices) counts[i] = (counts[i] as number) + 1;
        distinct += new Set(indices).size;
        return E.right(0);
      }),
    );
    // 1000 resamples and the value itself. A count has a standard deviation of 30; 10 (1 − 0.9¹⁰) = 6.5 indices are distinct.
    for (const count of counts) expect(Math.abs(count - 1001)).toBeLessThan(150);
    expect(distinct / 1001).toBeGreaterThan(6.3);
    expect(distinct / 1001).toBeLessThan(6.7);
  });

  it('a seed gives the same numbers again, and another seed others', () => {
    const of = (seed: number) => right(bootstrap(200, meanOf(values), { resamples: 20, seed }));
    expect(of(1)).toEqual(of(1));
    expect(of(1).standardError).not.toBe(of(2).standardError);
  });

  it('by hand: quantiles lie linearly between replicates', () => {
    let call = -1;
    // The statistic of all is −1, the replicates are 0 … 4 in a mixed order.
    const statistic = () => E.right([-1, 3, 0, 4, 1, 2][++call] as number);
    const found = right(bootstrap(1, statistic, { resamples: 5, level: 0.75 }));
    expect(found).toEqual({ value: -1, standardError: Math.sqrt(2.5), lower: 0.5, upper: 3.5 });
  });

  it('carries the error of the statistic', () => {
    expect(bootstrap(3, () => accuracy([], []))).toEqual(E.left(refusal('Empty')));
    expect(bootstrap(3, () => E.right(Number.NaN))).toEqual(E.left(refusal('NotFinite')));
    expect(bootstrap(3, (() => 5) as never)).toEqual(E.left(refusal('InvalidInput')));
  });

  it.each([{ resamples: 1 }, { level: 1 }, { seed: -1 }, { samples: 5 }])('refuses %p', (options) => {
    expect(() => bootstrap(3, () => E.right(1), options as never)).toThrow(refusal('InvalidOption'));
  });
});
