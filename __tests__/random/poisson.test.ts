/** Counts against the Poisson distribution itself: moments, and every probability by a chi-square test. */
import { key } from '../../src/random/key.js';
import { logFactorial, poissons } from '../../src/random/poisson.js';
import { logFactorial as definition } from '../support/math/likelihoods64.js';
import { estimate, STANDARD_ERRORS } from '../support/math/monteCarlo.js';

const DRAWS = 40_000;

const countsAt = (rate: number, seed = 3): number[] => Array.from(poissons(key(seed), new Float64Array(DRAWS).fill(rate)));

// On both sides of 10, where inversion gives way to rejection.
describe.each([0.01, 0.7, 5, 9.99, 10, 11, 40, 900, 1e6])('rate %d', (rate) => {
  it('has mean and variance of the rate', () => {
    const counts = countsAt(rate);
    const mean = estimate(counts);
    expect(Math.abs(mean.mean - rate)).toBeLessThan(STANDARD_ERRORS * mean.standardError);
    const squares = estimate(counts.map((k) => (k - rate) ** 2));
    expect(Math.abs(squares.mean - rate)).toBeLessThan(STANDARD_ERRORS * squares.standardError);
  });

  it('has every probability of the distribution', () => {
    const counts = countsAt(rate);
    // Bins of neighbouring counts with at least 50 expected: chi-square with mean n − 1 and variance 2 (n − 1).
    const reach = 6 * Math.sqrt(rate) + 6;
    const first = Math.max(0, Math.floor(rate - reach));
    const last = Math.ceil(rate + reach);
    const bins: { upTo: number; expected: number }[] = [];
    let expected = 0;
    let total = 0;
    for (let k = first; k <= last; k++) {
      expected += DRAWS * Math.exp(k * Math.log(rate) - rate - logFactorial(k));
      if (expected < 50 && k < last) continue;
      bins.push({ upTo: k, expected });
      total += expected;
      expected = 0;
    }
    expect(total / DRAWS).toBeCloseTo(1, 6);
    const found = new Array<number>(bins.length).fill(0);
    for (const k of counts) {
      const bin = bins.findIndex(({ upTo }) => k <= upTo);
      found[bin < 0 ? bins.length - 1 : bin] = (found[bin < 0 ? bins.length - 1 : bin] as number) + 1;
    }
    // The last bin may hold few: join it to the one before.
    const [tail, tailFound] = [bins.pop() as { expected: number }, found.pop() as number];
    const end = bins.length - 1;
    if (end >= 0) {
      (bins[end] as { expected: number }).expected += tail.expected;
      found[end] = (found[end] as number) + tailFound;
    }
    const chi = bins.reduce((sum, { expected: e }, i) => sum + ((found[i] as number) - e) ** 2 / e, 0);
    const freedom = Math.max(1, bins.length - 1);
    expect((chi - freedom) / Math.sqrt(2 * freedom)).toBeLessThan(STANDARD_ERRORS);
  });
});

it('is a function of the key', () => {
  expect(countsAt(3, 1)).toEqual(countsAt(3, 1));
  expect(countsAt(3, 1)).not.toEqual(countsAt(3, 2));
});

it('counts nothing at rate 0', () => {
  expect(Math.max(...countsAt(0))).toBe(0);
});

it('keeps counts and rates in order', () => {
  const counts = poissons(key(1), [0, 1e6, 0, 1e4]);
  expect([counts[0], counts[2]]).toEqual([0, 0]);
  expect(counts[1]).toBeGreaterThan(9e5);
  expect(Math.abs((counts[3] as number) - 1e4)).toBeLessThan(600);
});

it.each([0, 1, 2, 14, 15, 16, 17, 100, 3000])('knows log %d!', (k) => {
  expect(Math.abs(logFactorial(k) - definition(k))).toBeLessThan(1e-9 * Math.max(1, definition(k)));
});
