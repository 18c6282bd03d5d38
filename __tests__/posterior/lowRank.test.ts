/** Posteriors of diagonal plus low rank against matrices written out: evidence, new priors, and that nothing else takes them for tables. */
import {
  categorical,
  type Damping,
  evidence,
  exactDamping,
  type Factors,
  factoredDamping,
  isLaplaceError,
  isotropic,
  kfac,
  lowRank,
  maximiseEvidence,
  type Posterior,
  type PosteriorLayer,
  perLayer,
  variances,
  withDamping,
  withPrior,
} from 'tfjs-laplace';
import { determinant } from '../../src/posterior/determinant.js';
import { gramsOf, shifted } from '../../src/posterior/grams.js';
import { identity, layerPrecision, logDet, product, transposed } from '../support/math/dense64.js';
import { dataFor, factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { diagonalMatrix, factorsOfLayer } from '../support/math/lowRank64.js';
import { normalSource, take, uniformSource } from '../support/math/monteCarlo.js';
import { chain } from '../support/math/networks.js';
import { FLOAT32, FLOAT64, inRows, relativeError } from '../support/math/numbers.js';
import { matrixOf } from '../support/math/posteriors64.js';

const [C, N] = [16, 40];
const DAMPINGS: ReadonlyArray<Damping> = [exactDamping(), factoredDamping()];

const factors = (rank: number): Promise<Factors> => {
  const model = chain([5, C]);
  return factorsOf(model, categorical(), dataFor(model, categorical(), N), lowRank({ rank, layers: 'last' }));
};

/** log det of the precision that is written out, less that of the prior. */
function definition({ layers: [layer], datasetSize, damping }: Posterior): number {
  if (layer === undefined) throw new Error('no layer');
  const { A, G } = factorsOfLayer(layer);
  const { n, m, priorPrecision: tau } = layer;
  return logDet(layerPrecision(A, G, datasetSize, tau, damping._tag)) - n * m * Math.log(tau);
}

describe.each(DAMPINGS)('$_tag damping', (damping) => {
  it('has the determinant of its matrix, at any prior', async () => {
    const posterior = await posteriorFrom(await factors(3), { damping, priorPrecision: 0.4 });
    expect(posterior.layers[0]?.lowRank?.values).toHaveLength(3);
    for (const tau of [1e-3, 0.4, 50]) {
      const own = right(withPrior(posterior, isotropic(tau)));
      // Float64 on both sides; the matrix' condition is up to 1e5 at the small prior.
      expect(relativeError(evidence(own).logDetRatio, definition(own))).toBeLessThan(1e-9);
    }
  });

  it('counts the parameters that the data determine: −γ is the slope of its determinant in log τ', async () => {
    const posterior = await posteriorFrom(await factors(3), { damping, priorPrecision: 0.4 });
    const own = determinant(posterior, posterior.layers[0] as PosteriorLayer);
    const h = 1e-3;
    for (const tau of [0.05, 0.4, 50]) {
      const slope = (own.logRatio(tau * Math.exp(h)) - own.logRatio(tau * Math.exp(-h))) / (2 * h);
      const { count, slope: steering } = own.effective(tau);
      // A central difference is off by h² / 6 of the third derivative, which is not above γ itself.
      expect(relativeError(count, -slope)).toBeLessThan(h ** 2);
      expect(steering).toBeLessThanOrEqual(0);
      expect(steering).toBeGreaterThanOrEqual(-count);
    }
  });

  it('has a prior precision at which the evidence is highest', async () => {
    const posterior = await posteriorFrom(await factors(3), { damping, priorPrecision: 40 });
    const { posterior: best, prior, iterations } = right(maximiseEvidence(posterior));
    const { precision } = prior as { precision: number };
    const at = (tau: number): number => evidence(right(withPrior(best, isotropic(tau)))).logMarginalLikelihood;
    for (const factor of [0.9, 0.99, 1.01, 1.1]) expect(at(precision)).toBeGreaterThan(at(precision * factor));
    // Newton with the slope of the diagonal in place of its own.
    expect(iterations).toBeLessThan(25);
  });

  it('has the evidence of kfac where nothing is left out', async () => {
    const model = chain([5, C]);
    const exact = await factorsOf(model, categorical(), dataFor(model, categorical(), N), kfac({ layers: 'last' }));
    const [found, expected] = [
      evidence(await posteriorFrom(await factors(C), { damping, priorPrecision: 0.4 })),
      evidence(await posteriorFrom(exact, { damping, priorPrecision: 0.4 })),
    ];
    expect(relativeError(found.logDetRatio, expected.logDetRatio)).toBeLessThan(FLOAT32);
    expect(relativeError(found.logMarginalLikelihood, expected.logMarginalLikelihood)).toBeLessThan(FLOAT32);
  });
});

it('takes another prior and damping as if it had been built with them', async () => {
  const own = await factors(3);
  const first = await posteriorFrom(own, { priorPrecision: 0.4 });
  const name = first.layers[0]?.name as string;
  const built = await posteriorFrom(own, { priorPrecision: { [name]: 7 }, damping: factoredDamping() });
  expect(withDamping(right(withPrior(first, perLayer({ [name]: 7 }))), factoredDamping())).toEqual(built);
});

it('is a frozen value that can be cloned', async () => {
  const posterior = await posteriorFrom(await factors(3), {});
  const [layer] = posterior.layers;
  expect([Object.isFrozen(layer), Object.isFrozen(layer?.lowRank), Object.isFrozen(layer?.gradient)]).toEqual([true, true, true]);
  expect(evidence(structuredClone(posterior))).toEqual(evidence(posterior));
  expect(layer?.lowRank?.kept).toBeGreaterThan(0);
  expect(layer?.lowRank?.kept).toBeLessThan(1);
});

it('has no variances along directions, and says so', async () => {
  const posterior = await posteriorFrom(await factors(3), {});
  try {
    variances(posterior, posterior.layers[0] as (typeof posterior.layers)[number]);
    throw new Error('expected an error');
  } catch (error) {
    if (!isLaplaceError(error)) throw error;
    expect([error.kind, error.layer]).toEqual(['UnsupportedLayer', posterior.layers[0]?.name]);
    expect(error.message).toContain('kfac');
  }
});

describe('K(ρ)', () => {
  const [m, r] = [300, 3];
  const uniform = uniformSource(2);
  // Over twelve orders of magnitude, and some zeros.
  const delta = Float64Array.from({ length: m }, (_, c) => (c % 50 === 0 ? 0 : 10 ** (-12 * uniform())));
  const Z = inRows(take(m * r, normalSource(5)), r);
  const rho = Float64Array.of(1e-9, 1e-4, 0.3, 1e5, Number.POSITIVE_INFINITY);

  /** I + Zᵀ diag(1 / (δ + ρ)) Z, less I. */
  const expected = Array.from(rho, (v) => product(transposed(Z), diagonalMatrix(Array.from(delta, (d) => 1 / (d + v))), Z));

  it.each([
    ['row by row', m, FLOAT64],
    // 4e-10 of every term.
    ['interpolated', 0, 1e-9],
  ] as const)('%s', (_, few, tolerance) => {
    const grams = gramsOf(matrixOf(Z), delta, few);
    if (few === 0) expect(grams.nodes.length).toBeLessThan(260);
    const found = shifted(grams, rho);
    expected.forEach((own, i) => {
      const half = inRows(found.subarray(i * r * r, (i + 1) * r * r), r).map((row, a) => row.map((v, b) => (b <= a ? v : 0)));
      const target = own.map((row, a) => row.map((v, b) => (b <= a ? v + (identity(r)[a]?.[b] as number) : 0)));
      expect(relativeError(half, target)).toBeLessThan(tolerance);
    });
  });
});
