/** Links against brute-force quadrature of the Gaussian, and against what must hold of them. */
import fc from 'fast-check';
import { softmax } from '../../src/predictive/links/entropies.js';
import { exp } from '../../src/predictive/links/exponential.js';
import { classBridge, digamma, labelBridge } from '../../src/predictive/links/laplaceBridge.js';
import type { ClassMoments } from '../../src/predictive/links/link.js';
import { labelMoments } from '../../src/predictive/links/logisticNormal.js';
import { multiclassProbit } from '../../src/predictive/links/multiclassProbit.js';
import { outputCovariance } from '../../src/predictive/links/outputCovariance.js';
import { drawnClasses } from '../../src/predictive/links/outputDraws.js';
import { probit } from '../../src/predictive/links/probit.js';
import { product, transposed } from '../support/math/dense64.js';
import { sigmoid as sigmoid64, softmax as softmax64 } from '../support/math/likelihoods64.js';
import { normalSource, STANDARD_ERRORS, take } from '../support/math/monteCarlo.js';
import { inRows } from '../support/math/numbers.js';

/** Covariances of three classes are two-dimensional for a softmax: a grid of the two differences, by the trapezoidal rule. */
const [REACH, STEP] = [9, 0.1];

const entropyOf = (p: ReadonlyArray<number>): number => -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log(v) : 0), 0);

/** Moments of softmax(f) by quadrature, f ~ N(mean, root rootᵀ) with root [C, rank], rank <= 2: errors below 1e-12. */
function brute(mean: ReadonlyArray<number>, root: number[][]): ClassMoments {
  const rank = (root[0] as number[]).length;
  const nodes = Array.from({ length: 2 * Math.round(REACH / STEP) + 1 }, (_, i) => -REACH + i * STEP);
  const weight = (x: number) => (STEP * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
  const C = mean.length;
  const [first, second, entropy] = [new Float64Array(C), new Float64Array(C), [0]] as [Float64Array, Float64Array, [number]];
  for (const x of nodes) {
    for (const y of rank > 1 ? nodes : [0]) {
      const w = weight(x) * (rank > 1 ? weight(y) : 1);
      const p = softmax64(mean.map((v, c) => v + (root[c]?.[0] as number) * x + (rank > 1 ? (root[c]?.[1] as number) * y : 0)));
      p.forEach((v, c) => {
        first[c] = (first[c] as number) + w * v;
        second[c] = (second[c] as number) + w * v * v;
      });
      entropy[0] += w * entropyOf(p);
    }
  }
  return {
    probabilities: first,
    standardDeviations: second.map((v, c) => Math.sqrt(Math.max(0, v - (first[c] as number) ** 2))),
    expectedEntropy: entropy[0],
  };
}

interface Case {
  readonly name: string;
  readonly mean: number[];
  readonly root: number[][];
}

const CASES: ReadonlyArray<Case> = [2, 3].flatMap((C) =>
  [0.3, 1, 2].flatMap((scale) =>
    [1, 2, 3].map((seed): Case => {
      const normal = normalSource(10 * seed + C);
      const mean = take(C, normal).map((v) => 1.5 * v);
      return {
        name: `${C} classes, scale ${scale}, ${seed}`,
        mean,
        root: inRows(
          take(2 * C, normal).map((v) => scale * v),
          2,
        ),
      };
    }),
  ),
);

const covarianceOf = (root: number[][], common = 0): Float64Array =>
  Float64Array.from(product(root, transposed(root)).flat(), (v) => v + common);
const full = (root: number[][], common = 0) => outputCovariance(covarianceOf(root, common), root.length);

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (v, c) => Math.abs(v - (b[c] as number))));

describe.each(CASES)('$name', ({ mean, root }) => {
  const exact = brute(mean, root);
  const f = Float64Array.from(mean);

  it('Monte Carlo: mean, deviation and expected entropy within 5 standard errors', () => {
    const draws = 20_000;
    const found = drawnClasses(f, full(root), { samples: draws, seed: 3 });
    found.probabilities.forEach((p, c) => {
      const deviation = exact.standardDeviations[c] as number;
      // Pairs are at worst as good as half as many independent draws; a probability in [0, 1] has a kurtosis below 10 here.
      expect(Math.abs(p - (exact.probabilities[c] as number))).toBeLessThan(STANDARD_ERRORS * deviation * Math.sqrt(2 / draws));
      expect(Math.abs((found.standardDeviations[c] as number) - deviation)).toBeLessThan(
        STANDARD_ERRORS * deviation * Math.sqrt(9 / (2 * draws)) + 1e-9,
      );
    });
    // An entropy lies in [0, log C].
    expect(Math.abs(found.expectedEntropy - exact.expectedEntropy)).toBeLessThan(
      STANDARD_ERRORS * Math.log(3) * Math.sqrt(0.5 / draws),
    );
  });

  it('multi-class probit: within 0.08 of the mean', () => {
    expect(furthest(multiclassProbit(f, full(root)), exact.probabilities)).toBeLessThan(0.08);
  });

  it('Laplace bridge: within 0.35 of the mean, as classes whose outputs vary differently are weighed by 1 / Σ_kk', () => {
    expect(furthest(classBridge(f, full(root)).probabilities, exact.probabilities)).toBeLessThan(0.35);
  });

  it('multi-class probit and bridge don’t know what is added to all outputs, a constant or one number with a variance', () => {
    const shifted = f.map((v) => v + 7);
    const covariance = full(root);
    for (const link of [multiclassProbit, (m: Float64Array, c: typeof covariance) => classBridge(m, c).probabilities]) {
      expect(furthest(link(shifted, full(root, 5)), link(f, full(root)))).toBeLessThan(1e-12);
    }
    const [own, other] = [classBridge(f, covariance), classBridge(shifted, full(root, 5))];
    expect(furthest(own.standardDeviations, other.standardDeviations)).toBeLessThan(1e-12);
    expect(Math.abs(own.expectedEntropy - other.expectedEntropy)).toBeLessThan(1e-11);
    // The probit of variances alone does: it is worse for it.
    expect(furthest(probit(softmax, shifted, full(root, 5).variance), probit(softmax, f, covariance.variance))).toBeGreaterThan(
      1e-4,
    );
  });
});

it('multi-class probit of two classes is the probit of their difference, and of variances alone that of independent outputs', () => {
  const [mean, covariance] = [Float64Array.of(1.2, -0.4), Float64Array.of(2, 0.7, 0.7, 1)];
  const one = (spread: number) => 1 / (1 + Math.exp(-1.6 / Math.sqrt(1 + (Math.PI / 8) * spread)));
  expect(multiclassProbit(mean, outputCovariance(covariance, 2))[0]).toBeCloseTo(one(2 + 1 - 1.4), 10);
  expect(multiclassProbit(mean, outputCovariance(Float64Array.of(2, 1), 2))[0]).toBeCloseTo(one(3), 10);
});

describe('as the covariance goes to 0', () => {
  const { mean, root } = CASES[11] as Case;
  const f = Float64Array.from(mean);
  const at = (link: (r: number[][]) => ArrayLike<number>, scale: number) =>
    furthest(link(root.map((row) => row.map((v) => v * Math.sqrt(scale)))), softmax(f));

  it.each<[string, (r: number[][]) => ArrayLike<number>]>([
    ['probit', (r) => probit(softmax, f, full(r).variance)],
    ['multi-class probit', (r) => multiclassProbit(f, full(r))],
    ['Monte Carlo', (r) => drawnClasses(f, full(r), { samples: 128, seed: 0 }).probabilities],
    ['the mean itself', (r) => brute(mean, r).probabilities],
  ])('%s tends to the network’s own probabilities, as fast as the covariance', (_, link) => {
    // A tenth of the covariance, a tenth of the distance: E[p] = p + ½ tr(∇²p Σ) + O(Σ²), and pairs take the odd terms away.
    for (const scale of [1e-2, 1e-3]) expect(at(link, scale) / at(link, scale / 10)).toBeCloseTo(10, 0);
    expect(at(link, 0)).toBeLessThan(1e-13);
  });

  it('the bridge does for two classes, is off for three, and takes the network’s own where there is no covariance', () => {
    const two = CASES[0] as Case;
    const own = softmax(Float64Array.from(two.mean));
    expect(furthest(classBridge(Float64Array.from(two.mean), full(two.root)).probabilities, own)).toBeLessThan(1e-12);
    expect(at((r) => classBridge(f, full(r)).probabilities, 1e-6)).toBeGreaterThan(1e-3);
    expect(at((r) => classBridge(f, full(r)).probabilities, 0)).toBe(0);
    const common = classBridge(f, outputCovariance(new Float64Array(9).fill(3), 3));
    expect(furthest(common.probabilities, softmax(f))).toBe(0);
    expect(Array.from(common.standardDeviations)).toEqual([0, 0, 0]);
  });
});

describe('the Laplace bridge', () => {
  /** As laplace-torch has it: conditioned on Σ f = 0, then the bridge of the paper, without logarithms. */
  function reference(mean: number[], covariance: number[][]): number[] {
    const K = mean.length;
    const rows = covariance.map((row) => row.reduce((a, b) => a + b, 0));
    const total = rows.reduce((a, b) => a + b, 0);
    const sum = mean.reduce((a, b) => a + b, 0);
    const mu = mean.map((v, k) => v - ((rows[k] as number) * sum) / total);
    const variance = covariance.map((row, k) => (row[k] as number) - (rows[k] as number) ** 2 / total);
    const sumExp = mu.reduce((s, v) => s + Math.exp(-v), 0);
    const alpha = mu.map((v, k) => (1 - 2 / K + (Math.exp(v) / K ** 2) * sumExp) / (variance[k] as number));
    const all = alpha.reduce((a, b) => a + b, 0);
    return alpha.map((v) => v / all);
  }

  it('has the probabilities of laplace-torch on fixed numbers, where all rows of the covariance have one sum', () => {
    const mean = [2, 0.5, -1];
    // Rows add up to 3.
    const covariance = [
      [2, 0.75, 0.25],
      [0.75, 1.5, 0.75],
      [0.25, 0.75, 2],
    ];
    const found = classBridge(Float64Array.from(mean), outputCovariance(Float64Array.from(covariance.flat()), 3)).probabilities;
    expect(furthest(found, reference(mean, covariance))).toBeLessThan(1e-12);
    // Computed apart, in Python.
    expect(furthest(found, [0.568504479755417, 0.34646197212947577, 0.0850335481151073])).toBeLessThan(1e-12);
  });

  it('is where laplace-torch tends to as all outputs share ever more variance', () => {
    const { mean, root } = CASES[13] as Case;
    const own = classBridge(Float64Array.from(mean), full(root)).probabilities;
    const gap = (common: number) => furthest(reference(mean, inRows(covarianceOf(root, common), 3)), own);
    expect(gap(1e3) / gap(1e4)).toBeCloseTo(10, 0);
    expect(gap(0.1)).toBeGreaterThan(0.01);
  });

  it('has a Dirichlet’s deviations and expected entropy: of two classes by integration over the Beta', () => {
    const [mu, variance] = [0.8, 1.3];
    const [alpha, beta] = [(1 + Math.exp(mu)) / variance, (1 + Math.exp(-mu)) / variance];
    const n = 200_000;
    const [mass, first, second, entropy] = [0, 0, 0, 0].map(() => [0]) as [number[], number[], number[], number[]];
    for (let i = 0; i < n; i++) {
      const p = (i + 0.5) / n;
      const w = p ** (alpha - 1) * (1 - p) ** (beta - 1);
      [mass, first, second, entropy].forEach((sum, k) => {
        sum[0] = (sum[0] as number) + w * ([1, p, p * p, entropyOf([p, 1 - p])][k] as number);
      });
    }
    const [m1, m2, h] = [first, second, entropy].map((sum) => (sum[0] as number) / (mass[0] as number)) as [
      number,
      number,
      number,
    ];
    const found = labelBridge(mu, variance);
    // Midpoints of a density that is bounded with its slope: errors of 1 / n.
    expect(found.mean).toBeCloseTo(m1, 5);
    expect(found.mean).toBeCloseTo(sigmoid64(mu), 12);
    expect(found.variance).toBeCloseTo(m2 - m1 * m1, 5);
    expect(found.expectedEntropy).toBeCloseTo(h, 5);
    // One label is two classes with outputs ±f/2.
    const classes = classBridge(
      Float64Array.of(mu / 2, -mu / 2),
      outputCovariance(
        Float64Array.of(1, -1, -1, 1).map((v) => (v * variance) / 4),
        2,
      ),
    );
    expect(classes.expectedEntropy).toBeCloseTo(found.expectedEntropy, 12);
    expect((classes.standardDeviations[0] as number) ** 2).toBeCloseTo(found.variance, 12);
  });

  it('survives outputs that are large, and variances that are small', () => {
    for (const [mu, variance] of [
      [800, 1],
      [-800, 1e-20],
      [3, 1e-30],
      [0, 0],
      [30, 0],
      [0, 1e30],
    ] as const) {
      const label = labelBridge(mu, variance);
      expect([label.mean, label.variance, label.expectedEntropy].every((v) => Number.isFinite(v) && v >= 0)).toBe(true);
      const classes = classBridge(
        Float64Array.of(mu, 0, -mu / 3),
        outputCovariance(Float64Array.of(variance, 1e-3 * variance, 0), 3),
      );
      expect(classes.probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      expect([...classes.standardDeviations, classes.expectedEntropy].every((v) => Number.isFinite(v) && v >= 0)).toBe(true);
    }
  });

  it('has digamma: −γ at 1, its recurrence, and log x far out', () => {
    expect(digamma(1)).toBeCloseTo(-0.5772156649015329, 13);
    expect(digamma(0.5)).toBeCloseTo(-1.9635100260214235, 13);
    for (const x of [0.01, 0.7, 3, 7.9, 8, 12]) expect(digamma(x + 1) - digamma(x)).toBeCloseTo(1 / x, 10);
    expect(digamma(1e12)).toBeCloseTo(Math.log(1e12), 10);
  });
});

describe('one label', () => {
  const cases = [-30, -5, -0.4, 0, 2, 8].flatMap((mu) =>
    [1e-8, 0.01, 1, 9, 15.9, 16.1, 100, 1e4, 1e8].map((v) => [mu, v] as const),
  );

  it.each(cases)('mean and variance of sigmoid(f), f ~ N(%d, %d), by a grid of the uniform quantity', (mu, variance) => {
    const s = Math.sqrt(variance);
    // Where sigmoid bends, ±40, and the Gaussian lives: 40,000 midpoints; beyond it is 0 or 1.
    const [low, high] = [Math.max(mu - 9 * s, -40), Math.min(mu + 9 * s, 40)];
    const n = 40_000;
    const h = (high - low) / n;
    let [first, second, beyond] = [0, 0, 1];
    for (let i = 0; i < n; i++) {
      const f = low + (i + 0.5) * h;
      const w = (h * Math.exp(-0.5 * ((f - mu) / s) ** 2)) / (s * Math.sqrt(2 * Math.PI));
      first += w * sigmoid64(f);
      second += w * sigmoid64(f) ** 2;
      beyond -= w;
    }
    // What lies beyond the grid: all on one side where the grid is cut at one side, else half and half up to the shift of the mean.
    const above = mu + 9 * s > 40 ? upperTail((40 - mu) / s) : 0;
    if (above === 0 && mu - 9 * s >= -40) expect(Math.abs(beyond)).toBeLessThan(1e-7);
    const found = labelMoments(mu, variance);
    expect(Math.abs(found.mean - (first + above))).toBeLessThan(1e-7);
    expect(Math.abs(found.variance - (second + above - (first + above) ** 2))).toBeLessThan(1e-7);
  });

  /** P(Z > z) by midpoints. */
  function upperTail(z: number): number {
    const [n, end] = [40_000, 12];
    if (z >= end) return 0;
    const h = (end - z) / n;
    return take(n, () => 0).reduce(
      (sum: number, _, i) => sum + (h * Math.exp(-0.5 * (z + (i + 0.5) * h) ** 2)) / Math.sqrt(2 * Math.PI),
      0,
    );
  }

  it('keeps the digits of a small variance: Var p = (p (1 − p) s)² to first order', () => {
    for (const s of [1e-3, 1e-5, 1e-7]) {
      const p = sigmoid64(0.7);
      expect(Math.sqrt(labelMoments(0.7, s * s).variance) / (p * (1 - p) * s)).toBeCloseTo(1, 5);
    }
  });
});

it('weighs draws alike however far they shift: e^x in pairs within ±300, each by itself beyond', () => {
  for (const x of [0, 1e-9, -0.5, 0.34, 1, -20, 299.9, -300, 300]) expect(exp(x) / Math.exp(x)).toBeCloseTo(1, 10);
  expect(exp(0)).toBe(1);
  const mean = Float64Array.of(0, 1, -2);
  const wide = drawnClasses(mean, outputCovariance(Float64Array.of(1e6, 2e6, 5e5), 3), { samples: 128, seed: 1 });
  expect(wide.probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  expect(wide.expectedEntropy).toBeLessThan(0.05);
});

it('gives probability vectors, and for draws and the bridge no negative mutual information, whatever the Gaussian', () => {
  const gaussians = fc.integer({ min: 2, max: 6 }).chain((C) =>
    fc.record({
      mean: fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: C, maxLength: C }),
      entries: fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 2 * C, maxLength: 2 * C }),
      independent: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(gaussians, ({ mean, entries, independent }) => {
      const C = mean.length;
      const f = Float64Array.from(mean);
      const all = covarianceOf(inRows(entries, 2));
      const covariance = outputCovariance(independent ? all.filter((_, i) => i % (C + 1) === 0) : all, C);
      const drawn = drawnClasses(f, covariance, { samples: 32, seed: 0 });
      const bridged = classBridge(f, covariance);
      for (const p of [
        probit(softmax, f, covariance.variance),
        multiclassProbit(f, covariance),
        drawn.probabilities,
        bridged.probabilities,
      ]) {
        expect(Math.min(...p)).toBeGreaterThanOrEqual(0);
        expect(Math.abs(p.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-12);
      }
      for (const { probabilities, expectedEntropy } of [drawn, bridged]) {
        // Weights of draws are off by 1e-11, and digamma by 1e-13 of its terms.
        expect(entropyOf(Array.from(probabilities)) - expectedEntropy).toBeGreaterThan(-1e-9);
      }
    }),
    { seed: 6, numRuns: 300 },
  );
});
