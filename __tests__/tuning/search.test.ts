/** The search over precisions: it ends, keeps its bounds, and finds the bottom of a valley to an eighth of a decade. */
import fc from 'fast-check';
import { best, type Candidate, verdictOf, widest } from '../../src/tuning/choose.js';
import { UNCHANGED } from '../../src/tuning/free.js';
import { BOUNDS, firstPrecisions, nextPrecisions } from '../../src/tuning/search.js';

/** The losses of many examples whose mean is f(log10 τ), with a spread that all candidates share. */
const searched = (start: number, f: (t: number) => number, spread = 0) => {
  const found: Candidate[] = [];
  let rounds = 0;
  for (let next = firstPrecisions(start); next.length > 0; next = nextPrecisions(found, 0)) {
    rounds++;
    expect(rounds).toBeLessThan(30);
    for (const precision of next) {
      const t = Math.log10(precision);
      found.push({
        precision,
        ratios: [1],
        free: UNCHANGED,
        losses: Float64Array.from({ length: 50 }, (_, i) => f(t) + spread * Math.sin(i * t)),
      });
    }
  }
  return { found, rounds };
};

it('finds the bottom of a valley anywhere within the bounds', () => {
  fc.assert(
    fc.property(fc.double({ min: -4, max: 8, noNaN: true }), fc.double({ min: -6, max: 10, noNaN: true }), (bottom, start) => {
      const { found } = searched(10 ** start, (t) => (t - bottom) ** 2);
      const { precision } = best(found);
      expect(Math.abs(Math.log10(precision) - bottom)).toBeLessThanOrEqual(0.126 / 2 + 0.125);
      for (const own of found) {
        expect(own.precision).toBeGreaterThanOrEqual(BOUNDS[0] * (1 - 1e-12));
        expect(own.precision).toBeLessThanOrEqual(BOUNDS[1] * (1 + 1e-12));
      }
      const logs = found.map((own) => Math.log10(own.precision)).sort((a, b) => a - b);
      for (let i = 1; i < logs.length; i++) expect((logs[i] as number) - (logs[i - 1] as number)).toBeGreaterThan(0.06);
    }),
    { numRuns: 100, seed: 2 },
  );
});

it('begins with the start itself, and needs two rounds where the bottom is near', () => {
  expect(firstPrecisions(30)).toContain(30);
  expect(searched(30, (t) => (t - 1.2) ** 2).rounds).toBe(2);
});

it('goes to a bound for a slope, and past infinite and undefined losses', () => {
  expect(best(searched(1, (t) => -t).found).precision).toBeCloseTo(1e8, -2);
  const { found } = searched(1, (t) => (t < 0 ? Number.POSITIVE_INFINITY : t < 1 ? Number.NaN : (t - 2) ** 2));
  expect(Math.log10(best(found).precision)).toBeCloseTo(2, 1);
});

describe('a choice', () => {
  const candidate = (precision: number, losses: ReadonlyArray<number>): Candidate => ({
    precision,
    ratios: [1],
    free: UNCHANGED,
    losses: Float64Array.from(losses),
  });

  it('leaves out what is infinite or undefined', () => {
    const top = candidate(100, [1, 1, 1]);
    const infinite = candidate(1, [1, Number.POSITIVE_INFINITY, 1]);
    expect(widest([infinite, candidate(2, [1, Number.NaN, 1]), top], 0)).toBe(top);
    expect(verdictOf(infinite.losses, top.losses)).toBe('worse');
    expect(verdictOf(top.losses, infinite.losses)).toBe('better');
  });

  it('is the widest within a standard error of the best', () => {
    const top = candidate(100, [1, 1, 1, 1]);
    const near = candidate(10, [1.1, 0.9, 1.2, 0.9]);
    const far = candidate(1, [2, 2.1, 1.9, 2]);
    expect(widest([far, near, top], 0)).toBe(near);
    expect(widest([far, top], 0)).toBe(top);
    // No wider than the floor: not even where the best itself is.
    const middle = candidate(30, [1, 1.1, 0.95, 1]);
    expect(widest([near, middle, top], 20)).toBe(middle);
    const wide = candidate(1e-4, [0.9, 0.9, 1.1, 0.9]);
    expect(best([wide, near, middle, top])).toBe(wide);
    expect(widest([wide, near, middle, top], 20)).toBe(middle);
    // Where the data allow nothing above the floor: as close to it as they do.
    expect(widest([wide, near, middle, top], 200)).toBe(top);
    expect(widest([far, candidate(200, [3, 3, 3, 3])], 150)).toBe(far);
    expect(best([far, near, top])).toBe(top);
  });

  it('is better or worse by more than the standard error alone', () => {
    const network = Float64Array.of(1, 1, 1, 1);
    expect(verdictOf(Float64Array.of(0.5, 0.6, 0.5, 0.6), network)).toBe('better');
    expect(verdictOf(Float64Array.of(1.5, 0.5, 1.4, 0.6), network)).toBe('same');
    expect(verdictOf(Float64Array.of(1.5, 1.6, 1.4, 1.6), network)).toBe('worse');
  });
});
