import * as fc from 'fast-check';
import { key, normals, split, uniforms } from '../../src/random/index.js';
import { next } from '../../src/random/xoshiro.js';
import { correlation, KOLMOGOROV_BOUND, kolmogorov, mean, moment, normalCdf, tabulate } from './statistics.js';

/** A global is looked up slowly in jest's realms. */
const { floor } = Math;

const N = 2 ** 20;
/** Standard errors that a statistic may be away from its expectation. */
const SE = 5;
/** Where the ziggurat's lowest layer ends and its tail begins. */
const TAIL = 3.442619855899;

const z = normals(key(0), N);
const u = uniforms(key(0), N);
const cdf = tabulate(normalCdf);

it('xoshiro128++ gives the known words', () => {
  // From the state 1, 2, 3, 4: the reference implementation in C, as quoted in the tests of Rust's rand_xoshiro.
  const expected = [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420];
  const state = Int32Array.of(1, 2, 3, 4);
  expect(expected.map(() => next(state) >>> 0)).toEqual(expected);
});

describe('the same numbers for ever', () => {
  it('uniforms', () => {
    // Two Threefry blocks of JAX (counters 2^63 and 2^63 + 1 under the key) as the state of xoshiro128++ in Python; word >> 8.
    const words = [14189682, 9142203, 9785181, 4236282, 1721079, 11503744];
    expect(uniforms(key(7), 6)).toEqual(Float32Array.from(words, (w) => w / 2 ** 24));
  });

  it('normals', () => {
    const values = normals(key(7), 200_000);
    expect(values.slice(0, 4)).toEqual(
      Float32Array.of(-0.05245489999651909, -1.192999005317688, 0.9505330324172974, -1.9265918731689453),
    );
    // In the tail:
    expect([values[2251], values[7172], values[9819]]).toEqual([-3.4647088050842285, -3.5934314727783203, -3.8000760078430176]);
    // Of all of them, the sum of the bit patterns. The same algorithm in Python, with float64 and numpy's float32, has it too.
    const bits = new Uint32Array(values.buffer).reduce((sum, word) => (sum + word) >>> 0, 0);
    expect(bits).toBe(2872068174);
  });

  it.each([['normals', normals] as const, ['uniforms', uniforms] as const])(
    'law: the first of more %s are the same',
    (_, draw) => {
      fc.assert(
        fc.property(fc.maxSafeNat(), fc.nat(2000), fc.nat(2000), (seed, n, more) => {
          expect(draw(key(seed), n + more).slice(0, n)).toEqual(draw(key(seed), n));
        }),
      );
    },
  );
});

describe('normals', () => {
  // E x^p and the standard deviation of x^p for a standard normal: √(E x^2p − (E x^p)²).
  it.each([
    [1, 0, 1],
    [2, 1, Math.sqrt(2)],
    [3, 0, Math.sqrt(15)],
    [4, 3, Math.sqrt(96)],
    [6, 15, Math.sqrt(10395 - 225)],
  ])('moment %d is %d', (p, expected, deviation) => {
    expect(Math.abs(moment(z, p) - expected)).toBeLessThan((SE * deviation) / Math.sqrt(N));
  });

  it('follow the normal distribution everywhere', () => {
    expect(kolmogorov(z, cdf)).toBeLessThan(KOLMOGOROV_BOUND);
  });

  it('have a finer structure without steps: 500 intervals of equal probability', () => {
    const counts = new Float64Array(500);
    for (const x of z)
      counts[Math.min(499, Math.floor(500 * cdf(x)))] = (counts[Math.min(499, Math.floor(500 * cdf(x)))] ?? 0) + 1;
    const chi2 = counts.reduce((sum, c) => sum + (c - N / 500) ** 2 / (N / 500), 0);
    // χ² with 499 degrees of freedom: mean 499, variance 998.
    expect(Math.abs(chi2 - 499)).toBeLessThan(SE * Math.sqrt(998));
  });

  it.each([3, TAIL, 3.7, 4])('beyond ± %d there are as many as there should be', (x) => {
    const p = 2 * normalCdf(-x);
    const beyond = z.reduce((count, v) => count + (v > x || v < -x ? 1 : 0), 0);
    expect(Math.abs(beyond - N * p)).toBeLessThan(SE * Math.sqrt(N * p));
  });

  it('have the normal shape in the tail', () => {
    const tail = normals(key(1), 4 * N).filter((v) => v > TAIL || v < -TAIL);
    expect(tail.length).toBeGreaterThan(2000);
    const below = normalCdf(-TAIL);
    expect(kolmogorov(tail.map(Math.abs), (x) => 1 - normalCdf(-x) / below)).toBeLessThan(KOLMOGOROV_BOUND);
  });

  it('are finite and never 0', () => {
    expect(z.every((v) => Number.isFinite(v) && v !== 0)).toBe(true);
  });

  it.each([1, 2, 3, 128])('are unrelated to those %d places on, in value and in size', (lag) => {
    const squares = z.map((v) => v * v);
    expect(Math.abs(correlation(z.subarray(lag), z.subarray(0, N - lag)))).toBeLessThan(SE / Math.sqrt(N));
    expect(Math.abs(correlation(squares.subarray(lag), squares.subarray(0, N - lag)))).toBeLessThan(SE / Math.sqrt(N));
  });
});

describe('uniforms', () => {
  it('lie in [0, 1) and are multiples of 2⁻²⁴, so that float32 holds each', () => {
    expect(u.every((v) => v >= 0 && v < 1 && v * 2 ** 24 === floor(v * 2 ** 24))).toBe(true);
  });

  it('have mean 1/2 and variance 1/12, and follow the uniform distribution', () => {
    expect(Math.abs(mean(u) - 0.5)).toBeLessThan((SE * Math.sqrt(1 / 12)) / Math.sqrt(N));
    // Var (u − ½)² = 1/80 − 1/144.
    const variance = mean(u.map((v) => (v - 0.5) ** 2));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan((SE * Math.sqrt(1 / 80 - 1 / 144)) / Math.sqrt(N));
    expect(kolmogorov(u, (x) => x)).toBeLessThan(KOLMOGOROV_BOUND);
  });
});

describe('streams', () => {
  const n = 2 ** 17;
  const bound = SE / Math.sqrt(n);

  it('of split keys, of their parent and of neighbouring seeds are unrelated', () => {
    const keys = [key(3), key(4), ...split(key(3), 5)];
    const streams = keys.map((k) => normals(k, n));
    streams.forEach((a, i) => {
      for (const b of streams.slice(i + 1)) expect(Math.abs(correlation(a, b))).toBeLessThan(bound);
    });
  });

  it('of one key for different purposes are unrelated', () => {
    expect(Math.abs(correlation(normals(key(3), n), uniforms(key(3), n)))).toBeLessThan(bound);
  });

  it('of many keys have independent first numbers', () => {
    const firsts = Float32Array.from(split(key(5), 4096), (k) => normals(k, 1)[0] as number);
    expect(kolmogorov(firsts, cdf)).toBeLessThan(KOLMOGOROV_BOUND);
  });
});

const refused = expect.objectContaining({ _tag: 'LaplaceError', kind: 'InvalidOption' });

it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a size of %d is refused', (size) => {
  expect(() => normals(key(0), size)).toThrow(refused);
  expect(() => uniforms(key(0), size)).toThrow(refused);
});

it('a size of 0 is none', () => {
  expect(normals(key(0), 0)).toHaveLength(0);
  expect(uniforms(key(0), 0)).toHaveLength(0);
});
