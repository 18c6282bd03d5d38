/** Designs of draws: what each is by itself, and how they are related. */
import * as fc from 'fast-check';
import { DESIGNS, foldIn, key, noiseAt, noiseNormals, noiseOf, normals, SEQUENCES } from '../../src/random/index.js';
import { normalQuantile } from '../../src/random/quantile.js';
import { quasiNormals } from '../../src/random/quasiRandom.js';
import { correlation, KOLMOGOROV_BOUND, kolmogorov, normalCdf, tabulate } from './statistics.js';

/** Standard errors that a statistic may be away from its expectation. */
const SE = 5;
const cdf = tabulate(normalCdf);

describe('the quantile function of the normal distribution', () => {
  it.each([
    // Wichura 1988, and tables of Φ with 16 digits.
    [0.25, -0.6744897501960817],
    [0.001, -3.090232306167814],
    [1e-20, -9.262340089798409],
    [0.975, 1.959963984540054],
  ])('of %d', (p, x) => {
    // A few units in the last place of float64.
    expect(Math.abs(normalQuantile(p) / x - 1)).toBeLessThan(1e-15);
  });

  it('is the inverse of Φ, and odd', () => {
    for (let x = -6; x <= 6; x += 0.037) {
      const p = normalCdf(x);
      // Simpson's Φ is off by 1e-11, relative to the density there.
      const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
      expect(Math.abs(normalQuantile(p) - x)).toBeLessThan(1e-11 / density + 1e-13);
    }
    // Steps of 2⁻³², as quasi-random numbers have: 1 − p is exact.
    for (let i = 1; i < 100; i++) {
      const p = (i * 2654435 + 0.5) * 2 ** -32;
      expect(normalQuantile(1 - p)).toBe(-normalQuantile(p));
    }
  });

  it('has its ends at infinity', () => {
    expect([0, 1, 0.5].map(normalQuantile)).toEqual([-Infinity, Infinity, 0]);
  });
});

it('independent draws are the normals of the draw, at the place', () => {
  const noise = noiseAt(noiseAt(noiseOf('independent', key(7), 5), 3), 2);
  expect(noiseNormals(noise, 100)).toEqual(normals(foldIn(foldIn(foldIn(key(7), 5), 3), 2), 100));
});

it('antithetic draws come in pairs: an independent one, and its mirror image', () => {
  const at = (s: number) => noiseNormals(noiseAt(noiseOf('antithetic', key(7), s), 3), 50);
  for (const k of [0, 1, 9]) {
    const independent = noiseNormals(noiseAt(noiseOf('independent', key(7), k), 3), 50);
    expect(at(2 * k)).toEqual(independent);
    expect(at(2 * k + 1)).toEqual(independent.map((x) => -x));
  }
});

describe('quasi-random draws', () => {
  it('are the same numbers for ever', () => {
    // The same in Python, from Threefry on, with the quantile function of its statistics module.
    expect(quasiNormals(key(7), 0, 2)).toEqual(Float32Array.of(-0.6283801794052124, -1.163654088973999));
    expect(quasiNormals(key(7), 5, 3)).toEqual(Float32Array.of(-0.1511637568473816, 0.029284382238984108, -0.883665919303894));
    expect(quasiNormals(key(7), 1000, 2)).toEqual(Float32Array.of(0.16938601434230804, 0.21676288545131683));
  });

  it('law: 2^k points of a sequence fall one into each of 2^k intervals, in every dimension', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 7 }), (seed, k) => {
        const [n, size] = [2 ** k, 20];
        const points = Array.from({ length: n }, (_, t) => quasiNormals(key(seed), t, size));
        for (let j = 0; j < size; j++) {
          const intervals = new Set(points.map((x) => Math.floor(n * cdf(x[j] as number))));
          expect(intervals.size).toBe(n);
        }
      }),
      { numRuns: 50 },
    );
  });

  it.each([0, 1, 2, 5, 30, 1000])('point %d is standard normal, and its dimensions are unrelated', (point) => {
    const size = 2 ** 17;
    const x = quasiNormals(key(3), point, size);
    expect(kolmogorov(x, cdf)).toBeLessThan(KOLMOGOROV_BOUND);
    for (const lag of [1, 2, 3]) {
      expect(Math.abs(correlation(x.subarray(lag), x.subarray(0, size - lag)))).toBeLessThan(SE / Math.sqrt(size));
    }
  });

  it('share no pattern between dimensions: products of two have the covariance of a random order', () => {
    // Point s and t of a stratified dimension are correlated by c; products of two independent dimensions by c². In step they would have
    // correlation 1: see quasiRandom.ts. Points 4 … 7 lie in four intervals in random order: with the halves' signs c = −1/3.
    const size = 2 ** 16;
    const sign = (t: number) => quasiNormals(key(4), t, size).map(Math.sign);
    const [a, b] = [sign(4), sign(5)];
    const product = (x: Float32Array) => x.subarray(1).map((v, j) => v * (x[j] as number));
    // 5 standard errors of 2⁻⁸, and what the shuffle's own bias of 0.015 in a probability makes: 0.03 and 0.02.
    expect(Math.abs(correlation(a, b) + 1 / 3)).toBeLessThan(0.05);
    expect(Math.abs(correlation(product(a), product(b)) - 1 / 9)).toBeLessThan(0.04);
  });

  it('take turns in sequences of their own', () => {
    const draws = Array.from({ length: 2 * SEQUENCES }, (_, s) => noiseOf('quasiRandom', key(7), s));
    expect(draws[SEQUENCES + 2]).toEqual({ _tag: 'quasiRandom', key: foldIn(key(7), 2), point: 1 });
    const size = 2 ** 15;
    const values = draws.map((noise) => noiseNormals(noise, size));
    for (let s = 1; s < SEQUENCES; s++) {
      expect(Math.abs(correlation(values[0] as Float32Array, values[s] as Float32Array))).toBeLessThan(SE / Math.sqrt(size));
    }
    // Points 0 and 1 of one sequence lie in different halves.
    expect(correlation(values[0] as Float32Array, values[SEQUENCES] as Float32Array)).toBeLessThan(-0.5);
  });
});

it.each(DESIGNS)('law: the first of more %s numbers are the same', (design) => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(100), fc.nat(500), fc.nat(500), (seed, s, n, more) => {
      const noise = noiseOf(design, key(seed), s);
      expect(noiseNormals(noise, n + more).slice(0, n)).toEqual(noiseNormals(noise, n));
    }),
  );
});

describe('the error of a mean over 64 draws', () => {
  const [S, SEEDS] = [64, 300];
  /** Root mean square error over seeds, of the mean of f over draws in d dimensions, relative to independent draws. */
  const relativeTo = (f: (x: Float32Array) => number, d: number, expected: number) => {
    const error = (design: (typeof DESIGNS)[number]): number => {
      let sum = 0;
      for (let seed = 0; seed < SEEDS; seed++) {
        let mean = 0;
        for (let s = 0; s < S; s++) mean += f(noiseNormals(noiseOf(design, key(seed), s), d)) / S;
        sum += (mean - expected) ** 2;
      }
      return Math.sqrt(sum / SEEDS);
    };
    const independent = error('independent');
    return { antithetic: error('antithetic') / independent, quasiRandom: error('quasiRandom') / independent };
  };
  const total = (x: Float32Array): number => x.reduce((sum, v) => sum + v, 0) / Math.sqrt(x.length);

  // A ratio of two root mean squares of 300 errors each is known to 6 % (1/√(2 · 300), twice): bounds are 4 of these away.
  it.each<[string, (x: Float32Array) => number, number, number, { antithetic: [number, number]; quasiRandom: [number, number] }]>(
    [
      // Of eight points of a sequence the outermost intervals are wide: the mean of their normals has 0.22 of the error.
      ['of a sum: gone, and a fifth', total, 16, 0, { antithetic: [0, 1e-6], quasiRandom: [0.15, 0.27] }],
      // Even in the noise; of many dimensions it is mostly products of two.
      [
        'of a square of a sum: √2 worse, and about the same',
        (x) => total(x) ** 2,
        50,
        1,
        { antithetic: [1.13, 1.7], quasiRandom: [0.8, 1.25] },
      ],
      [
        'of a sum of squares: √2 worse, and far better',
        (x) => total(x.map((v) => v * v)),
        50,
        Math.sqrt(50),
        { antithetic: [1.13, 1.7], quasiRandom: [0.2, 0.7] },
      ],
    ],
  )('%s', (_, f, d, expected, bounds) => {
    const found = relativeTo(f, d, expected);
    for (const design of ['antithetic', 'quasiRandom'] as const) {
      expect(found[design]).toBeGreaterThanOrEqual(bounds[design][0]);
      expect(found[design]).toBeLessThan(bounds[design][1]);
    }
  });
});
