/** Expected entropies and the probit link against numerical integration and brute-force Monte Carlo. */
import { classEntropy, labelEntropy, sigmoid, softmax } from '../../src/predictive/links/entropies.js';
import { labelMoments } from '../../src/predictive/links/logisticNormal.js';
import { outputCovariance } from '../../src/predictive/links/outputCovariance.js';
import { drawnClasses } from '../../src/predictive/links/outputDraws.js';
import { probit } from '../../src/predictive/links/probit.js';
import { product, transposed } from '../support/math/dense64.js';
import { sigmoid as sigmoid64, softmax as softmax64 } from '../support/math/likelihoods64.js';
import { estimate, normalSource, STANDARD_ERRORS, take } from '../support/math/monteCarlo.js';
import { inRows } from '../support/math/numbers.js';

const expectedClassEntropy = (mean: Float64Array, covariance: readonly number[] | Float64Array): number =>
  drawnClasses(mean, outputCovariance(Float64Array.from(covariance), mean.length), { samples: 128, seed: 0 }).expectedEntropy;
const expectedLabelEntropy = (mean: number, variance: number): number => labelMoments(mean, variance).expectedEntropy;

const entropyOf = (p: ReadonlyArray<number>): number => -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log(v) : 0), 0);
const binaryEntropy = (p: number): number => entropyOf([p, 1 - p]);

/** ∫ g(f) N(f; μ, s²) df by Simpson's rule, over where the Gaussian and g's bend lie: steps far below both widths. */
function expectation(g: (f: number) => number, mean: number, deviation: number): number {
  const [from, to] = [mean - 12 * deviation, mean + 12 * deviation];
  // Pieces: entropies live within ±60 of 0, so that a wide Gaussian needs fine steps only there.
  const cuts = [from, ...[-60, 60].filter((c) => c > from && c < to), to];
  const density = (f: number): number => Math.exp(-(((f - mean) / deviation) ** 2) / 2) / (deviation * Math.sqrt(2 * Math.PI));
  return cuts.slice(1).reduce((sum, end, i) => {
    const [start, n] = [cuts[i] as number, 4000];
    const h = (end - start) / n;
    const terms = Array.from(
      { length: n + 1 },
      (_, k) => (k === 0 || k === n ? 1 : k % 2 ? 4 : 2) * g(start + k * h) * density(start + k * h),
    );
    return sum + (h / 3) * terms.reduce((a, b) => a + b, 0);
  }, 0);
}

describe('labels', () => {
  const cases = [-30, -5, -0.4, 0, 2, 8].flatMap((mean) =>
    [1e-8, 0.01, 1, 9, 100, 1e4, 1e8].map((variance) => [mean, variance] as const),
  );
  it.each(cases)('E[H(sigmoid(f))], f ~ N(%d, %d), by numerical integration', (mean, variance) => {
    const expected = expectation((f) => binaryEntropy(sigmoid64(f)), mean, Math.sqrt(variance));
    // Absolute, in nats: an entropy is at most 0.69, and is reported in float32.
    expect(Math.abs(expectedLabelEntropy(mean, variance) - expected)).toBeLessThan(1e-7);
  });

  it('is the entropy itself without variance', () => {
    for (const mean of [-3, 0, 0.5]) {
      expect(expectedLabelEntropy(mean, 0)).toBeCloseTo(binaryEntropy(sigmoid64(mean)), 12);
    }
  });

  it('adds up over independent labels', () => {
    expect(labelEntropy([0.2, 0.5])).toBeCloseTo(binaryEntropy(0.2) + binaryEntropy(0.5), 12);
    expect(labelEntropy([0, 1])).toBe(0);
  });
});

describe('classes', () => {
  const random = (C: number, rank: number, scale: number, seed: number): number[][] => {
    const root = inRows(
      take(C * rank, normalSource(seed)).map((v) => scale * v),
      rank,
    );
    return product(root, transposed(root));
  };
  const cases = [2, 3, 5].flatMap((C) => [1, C].flatMap((rank) => [0.3, 2].map((scale) => [C, rank, scale] as const)));

  it.each(cases)(
    'E[H(softmax(f))] of %d classes, covariance of rank %d and scale %d, within standard errors of both',
    (C, rank, scale) => {
      const mean = take(C, normalSource(C));
      const root = inRows(
        take(C * rank, normalSource(7)).map((v) => scale * v),
        rank,
      );
      const normal = normalSource(99);
      const pairs = Array.from({ length: 4000 }, () => {
        const noise = take(rank, normal);
        const shift = root.map((row) => row.reduce((sum, v, j) => sum + v * (noise[j] as number), 0));
        const at = (sign: number) => entropyOf(softmax64(mean.map((v, c) => v + sign * (shift[c] as number))));
        return (at(1) + at(-1)) / 2;
      });
      const exact = estimate(pairs);
      // The library averages 64 such pairs.
      const own = exact.standardError * Math.sqrt(pairs.length / 64);
      const found = expectedClassEntropy(Float64Array.from(mean), random(C, rank, scale, 7).flat());
      expect(Math.abs(found - exact.mean)).toBeLessThan(STANDARD_ERRORS * Math.hypot(own, exact.standardError));
    },
  );

  it('is the entropy itself without covariance', () => {
    const mean = Float64Array.of(0.3, -1, 2);
    expect(expectedClassEntropy(mean, new Float64Array(9))).toBeCloseTo(entropyOf(softmax64(Array.from(mean))), 12);
  });

  it('does not change with what is added to all outputs', () => {
    const [mean, covariance] = [Float64Array.of(0.3, -1, 2), random(3, 3, 1, 5).flat()];
    const shifted = mean.map((v) => v + 40);
    expect(expectedClassEntropy(shifted, covariance)).toBeCloseTo(expectedClassEntropy(mean, covariance), 10);
  });

  it('has entropies of 0 for certainty and log C for ignorance', () => {
    expect(classEntropy([0, 1, 0])).toBe(0);
    expect(classEntropy([0.25, 0.25, 0.25, 0.25])).toBeCloseTo(Math.log(4), 12);
    expect(classEntropy([0.2, 0.8])).toBeCloseTo(binaryEntropy(0.2), 12);
  });
});

describe('probit', () => {
  const sigmoidAt = (mean: number, variance: number): number =>
    probit(sigmoid, Float64Array.of(mean), Float64Array.of(variance))[0] as number;

  it('is the link without variance', () => {
    expect(sigmoidAt(0.7, 0)).toBeCloseTo(sigmoid64(0.7), 12);
    const p = probit(softmax, Float64Array.of(1, -2, 0), new Float64Array(3));
    expect(Array.from(p)).toEqual(expect.arrayContaining(softmax64([1, -2, 0]).map((v) => expect.closeTo(v, 12))));
  });

  it.each([0.01, 1, 25, 1000])(
    'is E[sigmoid(f)] at variance %d within the 0.02 of the approximation (MacKay 1992)',
    (variance) => {
      for (const mean of [-4, -0.5, 0, 1, 10]) {
        const expected = expectation(sigmoid64, mean, Math.sqrt(variance));
        expect(Math.abs(sigmoidAt(mean, variance) - expected)).toBeLessThan(0.02);
      }
    },
  );

  it('meets the exact mean as the variance goes to 0, at least linearly', () => {
    const error = (variance: number) => Math.abs(sigmoidAt(0.8, variance) - expectation(sigmoid64, 0.8, Math.sqrt(variance)));
    expect(error(0.01)).toBeLessThan(error(0.1) / 8);
    expect(error(0.001)).toBeLessThan(error(0.01) / 8);
    // For classes by second moments: E[softmax_c(f)] = p_c + ½ tr(∇² p_c Σ) + O(‖Σ‖²), so the gap to any consistent link is O(‖Σ‖).
    const shrink = (scale: number): number => {
      const normal = normalSource(3);
      const mean = [0.5, -0.3, 1];
      const deviations = [0.9, 0.2, 0.6].map((v) => Math.sqrt(scale * v));
      const draws = Array.from({ length: 4000 }, () => {
        const noise = take(3, normal).map((v, c) => v * (deviations[c] as number));
        const at = (sign: number) => softmax64(mean.map((v, c) => v + sign * (noise[c] as number)))[0] as number;
        return (at(1) + at(-1)) / 2;
      });
      const found = probit(
        softmax,
        Float64Array.from(mean),
        Float64Array.from(deviations, (v) => v * v),
      )[0] as number;
      return Math.abs(estimate(draws).mean - found);
    };
    expect(shrink(0.01)).toBeLessThan(shrink(0.1) / 5);
    expect(shrink(0.001)).toBeLessThan(shrink(0.01) / 5);
  });

  it('survives outputs that are large', () => {
    expect(Array.from(softmax(Float64Array.of(1000, 0, -1000)))).toEqual([1, 0, 0]);
    expect(Array.from(sigmoid(Float64Array.of(1000, -1000)))).toEqual([1, 0]);
    expect(sigmoidAt(1e4, 1e12)).toBeCloseTo(sigmoid64(1e4 / Math.sqrt((Math.PI / 8) * 1e12)), 9);
  });
});
