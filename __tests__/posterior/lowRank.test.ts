/** Posteriors of diagonal plus low rank against matrices written out: evidence, new priors, and that nothing else takes them for tables. */
import {
  categorical,
  type Damping,
  evidence,
  exactDamping,
  type Factors,
  factoredDamping,
  isotropic,
  keptTrace,
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
import { determinant } from '../../src/posterior/evidence.js';
import { gramsOf, shifted } from '../../src/posterior/structure/grams.js';
import { matricesOf } from '../support/factors.js';
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
    expect(matricesOf(posterior.layers[0]).rankValues?.data).toHaveLength(3);
    for (const tau of [1e-3, 0.4, 50]) {
      const own = right(withPrior(posterior, isotropic(tau)));
      // Float64 on both sides; the matrix' condition is up to 1e5 at the small prior.
      expect(relativeError(evidence(own).logDetRatio, definition(own))).toBeLessThan(1e-9);
    }
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

describe.each(DAMPINGS)('$_tag damping: the best prior precision', (damping) => {
  it.each([0, 3, C])('of rank %d has a slope of 0, of the determinant that is written out', async (rank) => {
    const built = await posteriorFrom(await factors(rank || 1), { damping, priorPrecision: 0.4 });
    // Without a low rank the diagonal is all.
    const layers = built.layers.map((layer) => {
      const { rankValues, rankVectors, ...parts } = matricesOf(layer);
      return { ...layer, parts } as unknown as PosteriorLayer;
    });
    const posterior = rank === 0 ? { ...built, layers } : built;
    const { posterior: best, effectiveParameters } = right(maximiseEvidence(posterior));
    const [layer] = best.layers as [PosteriorLayer];
    const gamma = effectiveParameters[layer.name] as number;
    const written = (t: number): number => {
      const tau = layer.priorPrecision * Math.exp(t);
      const own = right(withPrior(posterior, isotropic(tau)));
      return definition(own) + tau * layer.mean.data.reduce((sum, v) => sum + v * v, 0);
    };
    // A difference's error is 1e-6 of γ, rounding of sums of 96 logarithms 1e-13 / 1e-3.
    expect(Math.abs(written(1e-3) - written(-1e-3)) / 2e-3).toBeLessThan(1e-5 * gamma);
  });

  it('has −γ for the slope of its determinant, and γ’s own', async () => {
    const posterior = await posteriorFrom(await factors(3), { damping, priorPrecision: 0.4 });
    const { logRatio, effective } = determinant(posterior, posterior.layers[0] as PosteriorLayer);
    for (const tau of [1e-3, 0.4, 50]) {
      const [low, high] = [tau * Math.exp(-1e-3), tau * Math.exp(1e-3)];
      const { count, slope } = effective(tau);
      expect(Math.abs((logRatio(high) - logRatio(low)) / 2e-3 + count)).toBeLessThan(1e-5 * count);
      expect(Math.abs((effective(high).count - effective(low).count) / 2e-3 - slope)).toBeLessThan(1e-5 * count);
    }
  });
});

it('takes another prior and damping as if it had been built with them', async () => {
  const own = await factors(3);
  const first = await posteriorFrom(own, { priorPrecision: 0.4 });
  const name = first.layers[0]?.name as string;
  const built = await posteriorFrom(own, { priorPrecision: { [name]: 7 }, damping: factoredDamping() });
  expect(withDamping(right(withPrior(first, perLayer({ [name]: 7 }))), factoredDamping())).toEqual(built);
});

it('is a value that can be cloned', async () => {
  const posterior = await posteriorFrom(await factors(3), {});
  const [layer] = posterior.layers;
  expect(evidence(structuredClone(posterior))).toEqual(evidence(posterior));
  expect(keptTrace(layer as PosteriorLayer)).toBeGreaterThan(0);
  expect(keptTrace(layer as PosteriorLayer)).toBeLessThan(1);
});

it('has no variances along directions, and says so', async () => {
  const posterior = await posteriorFrom(await factors(3), {});
  const layer = posterior.layers[0] as PosteriorLayer;
  const message = expect.stringContaining('kfac');
  expect(variances(posterior, layer)).toMatchObject({ left: { kind: 'UnsupportedLayer', layer: layer.name, message } });
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
