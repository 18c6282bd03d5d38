/** The optimum of the evidence against what makes it one: slopes of 0, grids, closed forms, and what it must not depend on. */

import fc from 'fast-check';
import { either as E } from 'fp-ts';
import {
  type Damping,
  evidence,
  exactDamping,
  factoredDamping,
  isLaplaceError,
  isotropic,
  type Matrix,
  maximiseEvidence,
  type Posterior,
  type PosteriorLayer,
  perLayer,
  withPrior,
} from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { determinant } from '../../src/posterior/evidence.js';
import { posteriorOf } from '../../src/posterior/posteriorOf.js';
import { combination, identity, inverse, logDet, plus, product, transposed } from '../support/math/dense64.js';
import { right } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { inRows } from '../support/math/numbers.js';
import { factorsWith, matrixOf, TWO_LAYERS, twoLayers } from '../support/math/posteriors64.js';

/** Two layers, of full rank or not, under any prior. */
const posteriors = fc
  .record({
    ...TWO_LAYERS,
    N: fc.integer({ min: 1, max: 1000 }),
    logTaus: fc.tuple(fc.double({ min: -15, max: 15, noNaN: true }), fc.double({ min: -15, max: 15, noNaN: true })),
    damping: fc.constantFrom<Damping>(exactDamping(), factoredDamping()),
    weights: fc.double({ min: -6, max: 6, noNaN: true }).map(Math.exp),
  })
  .map(({ sizes, ranks, seed, N, logTaus, damping, weights }) => {
    const layers = twoLayers(sizes, ranks, seed);
    const prior = perLayer({ low: Math.exp(logTaus[0]), top: Math.exp(logTaus[1]) });
    const posterior = right(posteriorOf(factorsWith(layers, N), { prior, damping, layers: 'all' }, javascriptEngine));
    return withMeans(posterior, ({ mean }) => mean.data.map((v) => weights * (v + 0.01)));
  });

const withMeans = (posterior: Posterior, data: (layer: PosteriorLayer) => Float64Array): Posterior => ({
  ...posterior,
  layers: posterior.layers.map((layer) => ({ ...layer, mean: { ...layer.mean, data: data(layer) } })),
});

/** The same problems in every run. */
const check = <A>(property: fc.IProperty<A>): void => fc.assert(property, { seed: 3 });

const norm = ({ mean }: PosteriorLayer): number => mean.data.reduce((sum, v) => sum + v * v, 0);
const precisions = ({ layers }: Posterior): number[] => layers.map((layer) => layer.priorPrecision);
const marginal = (posterior: Posterior, taus: ReadonlyArray<number>): number =>
  evidence(right(withPrior(posterior, perLayer({ low: taus[0] as number, top: taus[1] as number })))).logMarginalLikelihood;

/** Step of differences in log τ: their error is 1e-6 of the third derivative, which is below γ, and 1e-11 of rounding. */
const STEP = 1e-3;
const SLOPE = 1e-5;

it('has a slope of 0 in the logarithm of the one precision, by differences', () => {
  check(
    fc.property(posteriors, (posterior) => {
      const { posterior: best, effectiveParameters } = right(maximiseEvidence(posterior));
      const [tau, second] = precisions(best) as [number, number];
      expect(second).toBe(tau);
      const at = (t: number) => marginal(posterior, [tau * Math.exp(t), tau * Math.exp(t)]);
      const gamma = Object.values(effectiveParameters).reduce((a, b) => a + b, 0);
      expect(Math.abs(at(STEP) - at(-STEP)) / (2 * STEP)).toBeLessThan(SLOPE * (gamma + 1e-3));
    }),
  );
});

it('has a slope of 0 in that of every layer', () => {
  check(
    fc.property(posteriors, (posterior) => {
      const { posterior: best, effectiveParameters } = right(maximiseEvidence(posterior, { per: 'layer' }));
      precisions(best).forEach((_, l) => {
        const at = (t: number) =>
          marginal(
            posterior,
            precisions(best).map((tau, i) => (i === l ? tau * Math.exp(t) : tau)),
          );
        const gamma = Object.values(effectiveParameters).reduce((a, b) => a + b, 0);
        expect(Math.abs(at(STEP) - at(-STEP)) / (2 * STEP)).toBeLessThan(SLOPE * (gamma + 1e-3));
      });
    }),
  );
});

/** α and γ of a layer of Kronecker factors. */
function sidesOf({ parts }: PosteriorLayer): readonly [Float64Array, Float64Array] {
  if (!('gradientValues' in parts)) throw new Error('expected two sides');
  return [parts.inputValues.data, parts.gradientValues.data];
}

const column = (data: Float64Array): Matrix => ({ rows: data.length, cols: 1, data });

/** The same layer with a table of curvatures in place of products. */
const tableOf = (layer: PosteriorLayer, curvature: Matrix): PosteriorLayer => ({
  ...layer,
  structure: 'diagonal',
  parts: { curvature },
});

it('is MacKay’s fixed point, γ = τ ‖θ‖², with γ = Σ λ / (λ + τ) under exact damping', () => {
  check(
    fc.property(
      posteriors.filter(({ damping }) => damping._tag === 'exact'),
      (posterior) => {
        const { posterior: best, effectiveParameters } = right(maximiseEvidence(posterior, { per: 'layer' }));
        best.layers.forEach((layer) => {
          const { name, priorPrecision: tau } = layer;
          const [alpha, gammas] = sidesOf(layer);
          const gamma = Array.from(alpha).reduce(
            (sum, a) => sum + Array.from(gammas).reduce((s, g) => s + 1 / (1 + tau / (posterior.datasetSize * a * g)), 0),
            0,
          );
          // The tolerance of log τ, 1e-10, and a sum of some 20 terms.
          expect(Math.abs((effectiveParameters[name] as number) / gamma - 1)).toBeLessThan(1e-12);
          expect(Math.abs((tau * norm(layer)) / gamma - 1)).toBeLessThan(1e-9);
        });
      },
    ),
  );
});

it('is at least as good as every point of a fine grid, and one for each layer as good as one for all', () => {
  check(
    fc.property(posteriors, (posterior) => {
      const all = right(maximiseEvidence(posterior));
      const layer = right(maximiseEvidence(posterior, { per: 'layer' }));
      const slack = 1e-9 * (1 + Math.abs(all.evidence.logMarginalLikelihood));
      for (let t = -30; t <= 30; t += 0.5) {
        const tau = Math.exp(t);
        expect(marginal(posterior, [tau, tau])).toBeLessThanOrEqual(all.evidence.logMarginalLikelihood + slack);
      }
      expect(layer.evidence.logMarginalLikelihood).toBeGreaterThanOrEqual(all.evidence.logMarginalLikelihood - slack);
      expect(all.evidence).toEqual(evidence(all.posterior));
    }),
  );
});

it('does not depend on the prior that the posterior had, and takes a handful of steps', () => {
  check(
    fc.property(posteriors, fc.double({ min: 1e-10, max: 1e10, noNaN: true }), (posterior, tau) => {
      const one = right(maximiseEvidence(posterior));
      const other = right(maximiseEvidence(right(withPrior(posterior, isotropic(tau)))));
      // Both are within 1e-10 of the optimum in log τ.
      expect(
        Math.abs(Math.log(precisions(one.posterior)[0] as number) - Math.log(precisions(other.posterior)[0] as number)),
      ).toBeLessThan(2.1e-10);
      expect(other.iterations).toBeLessThanOrEqual(12);
    }),
  );
});

it('returns a prior that makes its posterior', () => {
  fc.assert(
    fc.property(posteriors, fc.constantFrom('all' as const, 'layer' as const), (posterior, per) => {
      const found = right(maximiseEvidence(posterior, { per }));
      expect(right(withPrior(posterior, found.prior))).toEqual(found.posterior);
      expect(found.prior._tag).toBe(per === 'all' ? 'isotropic' : 'perLayer');
    }),
    { seed: 1, numRuns: 10 },
  );
});

describe('a determinant', () => {
  it('has −γ for its slope in log τ, and dγ / d log τ as it says', () => {
    check(
      fc.property(posteriors, fc.double({ min: -8, max: 8, noNaN: true }), (posterior, t) => {
        for (const layer of posterior.layers) {
          const { logRatio, effective } = determinant(posterior, layer);
          const [low, high] = [Math.exp(t - STEP), Math.exp(t + STEP)];
          const { count, slope } = effective(Math.exp(t));
          expect(Math.abs((logRatio(high) - logRatio(low)) / (2 * STEP) + count)).toBeLessThan(SLOPE * count + 1e-10);
          const found = (effective(high).count - effective(low).count) / (2 * STEP);
          expect(Math.abs(found - slope)).toBeLessThan(SLOPE * count + 1e-10);
        }
      }),
    );
  });

  it('is the same whether curvatures are products, a table, or in groups', () => {
    check(
      fc.property(
        posteriors.filter(({ damping }) => damping._tag === 'exact'),
        (posterior) => {
          const [layer] = posterior.layers as [PosteriorLayer];
          const { n, m } = layer;
          const [alpha, gamma] = sidesOf(layer);
          const table = Float64Array.from(
            { length: n * m },
            (_, i) => (alpha[Math.floor(i / m)] as number) * (gamma[i % m] as number),
          );
          const twice = (values: Float64Array) => Float64Array.of(...values, ...values.map((v) => 2 * v));
          const product = determinant(posterior, layer);
          const single = determinant(posterior, tableOf(layer, { rows: n, cols: m, data: table }));
          const groups = determinant(posterior, {
            ...layer,
            groups: 2,
            structure: 'kronecker',
            parts: { inputValues: column(twice(alpha)), gradientValues: column(twice(gamma)) },
          });
          for (const tau of [1e-3, 1, 50]) {
            expect(single.logRatio(tau)).toBeCloseTo(product.logRatio(tau), 9);
            expect(single.effective(tau).count).toBeCloseTo(product.effective(tau).count, 9);
            // The second group has four times the curvature.
            expect(groups.logRatio(tau)).toBeCloseTo(product.logRatio(tau) + product.logRatio(tau / 4), 9);
            expect(groups.effective(tau).count).toBeCloseTo(product.effective(tau).count + product.effective(tau / 4).count, 9);
          }
        },
      ),
    );
  });

  it('keeps the digits of directions that the data say little about, and does not overflow where they say very much', () => {
    const [posterior] = fc.sample(
      posteriors.filter(({ damping }) => damping._tag === 'exact'),
      { seed: 2, numRuns: 1 },
    ) as [Posterior];
    const [layer] = posterior.layers as [PosteriorLayer];
    const of = (values: number[]) =>
      determinant(
        { ...posterior, datasetSize: 1 },
        tableOf(layer, { rows: 1, cols: values.length, data: Float64Array.from(values) }),
      );
    const small = take(100, () => 1e-20);
    expect(of(small).logRatio(1) / 1e-18).toBeCloseTo(1, 12);
    expect(of(take(300, () => 1e40)).logRatio(1) / (300 * Math.log(1e40))).toBeCloseTo(1, 12);
    expect(of([1e200, 1e-3, 1e200]).logRatio(1)).toBeCloseTo(2 * Math.log(1e200) + Math.log1p(1e-3), 9);
  });
});

describe('closed forms', () => {
  it('k directions of one curvature λ: k λ / (λ + τ) = τ ‖θ‖² is a quadratic equation', () => {
    const one = [{ name: 'low', A: identity(3), G: identity(2) }];
    const build = right(
      posteriorOf(factorsWith(one, 7), { prior: isotropic(1), damping: exactDamping(), layers: 'all' }, javascriptEngine),
    );
    const posterior = withMeans(build, ({ mean }) => mean.data.map(() => 0.5));
    const [k, lambda, square] = [6, 7, 6 * 0.25];
    const expected = (-lambda * square + Math.sqrt((lambda * square) ** 2 + 4 * square * k * lambda)) / (2 * square);
    expect((precisions(right(maximiseEvidence(posterior)).posterior)[0] as number) / expected - 1).toBeLessThan(1e-9);
  });

  it('Bayesian linear regression: with the weights at the MAP of its own result it maximises the marginal likelihood of the data', () => {
    const [N, d, noise] = [20, 4, 0.25];
    const X = inRows(take(N * d, normalSource(1)), d);
    const truth = take(d, normalSource(2)).map((v) => [0.7 * v]);
    const y = product(X, truth).map(([v], i) => [(v as number) + 0.5 * (take(N, normalSource(3))[i] as number)]);
    const gram = product(transposed(X), X);
    const layer = { name: 'low', A: combination([1 / N, gram]), G: [[1 / noise]] };
    const mapAt = (tau: number) =>
      product(
        inverse(plus(combination([1 / noise, gram]), combination([tau, identity(d)]))),
        combination([1 / noise, product(transposed(X), y)]),
      );
    let tau = 1;
    for (let i = 0; i < 200; i++) {
      const options = { prior: isotropic(tau), damping: exactDamping(), layers: 'all' as const };
      const posterior = right(posteriorOf(factorsWith([layer], N), options, javascriptEngine));
      const found = right(maximiseEvidence(withMeans(posterior, () => matrixOf(mapAt(tau)).data)));
      tau = precisions(found.posterior)[0] as number;
    }
    const logMarginal = (t: number): number => {
      const covariance = combination([noise, identity(N)], [1 / t, product(X, transposed(X))]);
      return -0.5 * ((product(transposed(y), inverse(covariance), y)[0]?.[0] as number) + logDet(covariance));
    };
    // Differences of the exact log marginal likelihood, N = 20 terms of size 1: rounding 1e-13 / 1e-4, and the step's square.
    const slope = (logMarginal(tau * Math.exp(1e-4)) - logMarginal(tau * Math.exp(-1e-4))) / 2e-4;
    expect(Math.abs(slope)).toBeLessThan(1e-7);
    for (const factor of [0.5, 0.9, 1.1, 2]) expect(logMarginal(tau)).toBeGreaterThan(logMarginal(factor * tau));
  });
});

describe('no maximum', () => {
  const [posterior] = fc.sample(
    posteriors.filter(({ damping }) => damping._tag === 'exact'),
    { seed: 2, numRuns: 1 },
  ) as [Posterior];
  const flat = (names: ReadonlyArray<string>): Posterior => ({
    ...posterior,
    layers: posterior.layers.map((layer) =>
      names.includes(layer.name)
        ? ({ ...layer, parts: { ...layer.parts, gradientValues: column(sidesOf(layer)[1].map(() => 0)) } } as PosteriorLayer)
        : layer,
    ),
  });
  const zero = (names: ReadonlyArray<string>): Posterior =>
    withMeans(posterior, ({ name, mean }) => (names.includes(name) ? mean.data.map(() => 0) : mean.data));

  it.each<[string, Posterior, 'all' | 'layer', string | undefined, string]>([
    ['no curvature in any layer', flat(['low', 'top']), 'all', undefined, 'curvature'],
    ['no curvature in one', flat(['top']), 'layer', 'top', 'curvature'],
    ['weights of 0 in all layers', zero(['low', 'top']), 'all', undefined, 'mean'],
    ['weights of 0 in one', zero(['low']), 'layer', 'low', 'mean'],
  ])('%s', (_, given, per, layer, field) => {
    const found = maximiseEvidence(given, { per });
    if (E.isRight(found) || !isLaplaceError(found.left)) throw new Error('no error');
    expect(found.left).toMatchObject({ kind: 'InvalidInput', layer, field });
    expect(found.left.remedy).toContain('withPrior');
  });

  it('is no matter of one layer where one precision serves all', () => {
    expect(E.isRight(maximiseEvidence(flat(['top'])))).toBe(true);
    expect(E.isRight(maximiseEvidence(zero(['low'])))).toBe(true);
  });

  it('refuses another grouping', () => {
    const options = { per: 'weight' as never };
    const refused = expect.objectContaining({ kind: 'InvalidOption', field: 'per' });
    expect(() => maximiseEvidence(posterior, options)).toThrow(refused);
    expect(() => maximiseEvidence(options)).toThrow(refused);
  });
});
