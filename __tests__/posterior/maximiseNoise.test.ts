/** The joint optimum of prior precisions and noise variance: slopes of 0, MacKay's equations, grids, closed forms, scikit-learn. */
import fc from 'fast-check';
import {
  evidence,
  evidenceGradient,
  exactDamping,
  gaussian,
  isotropic,
  maximiseEvidence,
  type Posterior,
  perLayer,
  withNoiseVariance,
  withPrior,
} from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { posteriorOf } from '../../src/posterior/posteriorOf.js';
import { combination, identity, inverse, logDet, plus, product, transposed } from '../support/math/dense64.js';
import { check, gaussianFactors, regressions, withMeans } from '../support/math/gaussian64.js';
import { right } from '../support/math/laplace.js';
import { matrixOf } from '../support/math/posteriors64.js';
import reference from './reference/bayesianRidge.json' with { type: 'json' };

const PER = fc.constantFrom('all' as const, 'layer' as const);
const estimated = (posterior: Posterior, per: 'all' | 'layer' = 'all') =>
  right(maximiseEvidence(posterior, { per, noise: 'estimated' }));
const gammaOf = ({ effectiveParameters }: { readonly effectiveParameters: Readonly<Record<string, number>> }): number =>
  Object.values(effectiveParameters).reduce((a, b) => a + b, 0);
const present = ({ likelihood }: Posterior): number => (likelihood as { noiseVariance: number }).noiseVariance;

it('has slopes of 0 in all logarithms', () => {
  check(
    fc.property(regressions, PER, (posterior, per) => {
      const found = estimated(posterior, per);
      const { logPrecisions, logPrecision, logNoiseVariance } = evidenceGradient(found.posterior);
      const size = found.posterior.datasetSize * found.posterior.outputs + gammaOf(found);
      // The search ends within 1e-10 of the optimum in each logarithm, and second derivatives are below `size`.
      const tolerance = 1e-8 * size;
      expect(Math.abs(logNoiseVariance as number)).toBeLessThan(tolerance);
      for (const slope of per === 'all' ? [logPrecision] : Object.values(logPrecisions)) {
        expect(Math.abs(slope)).toBeLessThan(tolerance);
      }
    }),
  );
});

it('fulfils MacKay’s equations under exact damping, τ ‖θ‖² = γ and σ² (N C − γ) = Σ (f − y)²', () => {
  const exact = regressions.filter(
    ({ damping, estimator }) => damping._tag === 'exact' && 'fisher' in estimator && estimator.fisher._tag === 'exact',
  );
  check(
    fc.property(exact, PER, (posterior, per) => {
      const found = estimated(posterior, per);
      const labels = posterior.datasetSize * posterior.outputs;
      const squares =
        -2 * posterior.logLikelihood * present(posterior) -
        labels * present(posterior) * Math.log(2 * Math.PI * present(posterior));
      // N C − γ may be a small difference; σ² is known to 1e-9, and the sum of squares loses some digits here.
      const rest = (found.noiseVariance as number) * (labels - gammaOf(found));
      expect(Math.abs(rest - squares)).toBeLessThan(1e-7 * labels * (found.noiseVariance as number));
      const scatters = found.posterior.layers.map((l) => l.priorPrecision * l.mean.data.reduce((sum, v) => sum + v * v, 0));
      expect(scatters.reduce((a, b) => a + b) / gammaOf(found)).toBeCloseTo(1, 8);
      if (per === 'layer') {
        found.posterior.layers.forEach(({ name }, l) => {
          expect((scatters[l] as number) / (found.effectiveParameters[name] as number)).toBeCloseTo(1, 8);
        });
      }
    }),
  );
});

it('is at least as good as every point of a grid in both, whatever the damping and the Fisher matrix', () => {
  fc.assert(
    fc.property(regressions, (posterior) => {
      const best = estimated(posterior);
      const slack = 1e-9 * (1 + Math.abs(best.evidence.logMarginalLikelihood));
      for (let u = -12; u <= 12; u += 0.75) {
        const noisy = right(withNoiseVariance(posterior, (best.noiseVariance as number) * Math.exp(u)));
        for (let t = -20; t <= 20; t += 1) {
          const { logMarginalLikelihood } = evidence(right(withPrior(noisy, isotropic(Math.exp(t)))));
          expect(logMarginalLikelihood).toBeLessThanOrEqual(best.evidence.logMarginalLikelihood + slack);
        }
      }
      const layered = estimated(posterior, 'layer');
      expect(layered.evidence.logMarginalLikelihood).toBeGreaterThanOrEqual(best.evidence.logMarginalLikelihood - slack);
    }),
    { seed: 3, numRuns: 25 },
  );
});

it('does not depend on where it starts, and takes a few handfuls of steps', () => {
  check(
    fc.property(
      regressions,
      fc.double({ min: -12, max: 12, noNaN: true }),
      // A much larger variance would hide the residuals.
      fc.double({ min: -12, max: 4, noNaN: true }),
      (posterior, t, u) => {
        const one = estimated(posterior);
        const elsewhere = right(
          withNoiseVariance(right(withPrior(posterior, isotropic(Math.exp(t)))), present(posterior) * Math.exp(u)),
        );
        const other = estimated(elsewhere);
        const ratio = (other.noiseVariance as number) / (one.noiseVariance as number);
        const flatness = curvatureAt(one.posterior);
        expect(Math.abs(Math.log(ratio)) * flatness).toBeLessThan(1e-8);
        expect(other.iterations).toBeLessThanOrEqual(90);
      },
    ),
  );
});

/** How steeply the slope in log σ² falls at the optimum, relative to N C: 1 if the data determine no weight, near 0 if all labels are fitted. */
function curvatureAt(posterior: Posterior): number {
  const labels = posterior.datasetSize * posterior.outputs;
  const best = (u: number) => {
    const own = right(maximiseEvidence(right(withNoiseVariance(posterior, present(posterior) * Math.exp(u)))));
    return evidenceGradient(own.posterior).logNoiseVariance as number;
  };
  return Math.min(1, Math.abs(best(1e-3) - best(-1e-3)) / 2e-3 / labels);
}

it('returns a prior and a variance that make its posterior', () => {
  fc.assert(
    fc.property(regressions, PER, (posterior, per) => {
      const found = estimated(posterior, per);
      const remade = right(withPrior(right(withNoiseVariance(posterior, found.noiseVariance as number)), found.prior));
      expect(remade.likelihood).toEqual(found.posterior.likelihood);
      expect(remade.layers.map(({ priorPrecision }) => priorPrecision)).toEqual(
        found.posterior.layers.map((l) => l.priorPrecision),
      );
      expect(evidence(remade).logMarginalLikelihood).toBeCloseTo(found.evidence.logMarginalLikelihood, 6);
      expect(evidence(found.posterior)).toEqual(found.evidence);
      // The variance stays if it was not to be estimated.
      const fixed = right(maximiseEvidence(posterior, { per }));
      expect(fixed).not.toHaveProperty('noiseVariance');
      expect(fixed.posterior.likelihood).toBe(posterior.likelihood);
    }),
    { seed: 1, numRuns: 20 },
  );
});

it('estimates several variances up to their common factor', () => {
  const [some] = fc.sample(
    regressions.filter(({ outputs }) => outputs === 2),
    { seed: 4, numRuns: 1 },
  ) as [Posterior];
  const labels = some.datasetSize * some.outputs;
  const one = estimated({ ...some, likelihood: gaussian({ noiseVariance: 1 }), logLikelihood: -2 * labels });
  const each: Posterior = { ...some, likelihood: gaussian({ noiseVariance: [0.5, 2] }), logLikelihood: -2 * labels };
  // log 0.5 + log 2 = 0, so that the sum of squares is the same.
  expect(estimated(each).noiseVariance).toEqual([0.5, 2].map((v) => expect.closeTo(v * (one.noiseVariance as number), 9)));
});

describe('Bayesian linear regression, with the weights at the optimum of its own result', () => {
  it.each(reference.map((own, i) => [i, own] as const))(
    '%d is that of scikit-learn, and of the marginal likelihood of the data',
    (_, own) => {
      const { x: X, y } = own;
      const [N, d] = [X.length, X[0]?.length as number];
      const Y = y.map((v) => [v]);
      const gram = product(transposed(X), X);
      let [tau, noise] = [1, 1];
      let found = { logMarginalLikelihood: 0 };
      // The weights and the optimum alternate, as in scikit-learn: each round shortens the distance by a factor.
      for (let round = 0; round < 400; round++) {
        const precision = plus(combination([1 / noise, gram]), combination([tau, identity(d)]));
        const weights = product(inverse(precision), combination([1 / noise, product(transposed(X), Y)]));
        const squares = product(X, weights).reduce((sum, [f], i) => sum + ((f as number) - (y[i] as number)) ** 2, 0);
        const layer = { name: 'low', A: combination([1 / N, gram]), G: [[1 / noise]] };
        const options = { prior: isotropic(tau), damping: exactDamping(), layers: 'all' as const };
        const posterior = right(posteriorOf(gaussianFactors([layer], N, squares, noise), options, javascriptEngine));
        const best = estimated(withMeans(posterior, () => matrixOf(weights).data));
        tau = best.posterior.layers[0]?.priorPrecision as number;
        noise = best.noiseVariance as number;
        found = best.evidence;
      }
      // scikit-learn stops when its weights move by 1e-15; both are float64 with condition numbers of about 10.
      expect(tau / own.priorPrecision).toBeCloseTo(1, 8);
      expect(noise / own.noiseVariance).toBeCloseTo(1, 8);
      expect(found.logMarginalLikelihood / own.logMarginalLikelihood).toBeCloseTo(1, 8);

      const logMarginal = (t: number, s: number): number => {
        const covariance = combination([s, identity(N)], [1 / t, product(X, transposed(X))]);
        const quadratic = product(transposed(Y), inverse(covariance), Y)[0]?.[0] as number;
        return -0.5 * (quadratic + logDet(covariance) + N * Math.log(2 * Math.PI));
      };
      expect(found.logMarginalLikelihood).toBeCloseTo(logMarginal(tau, noise), 8);
      // Differences of the closed form: N terms of size 1, rounding 1e-13 / 1e-4, and the step's square.
      const [up, down] = [Math.exp(1e-4), Math.exp(-1e-4)];
      expect(Math.abs(logMarginal(tau * up, noise) - logMarginal(tau * down, noise)) / 2e-4).toBeLessThan(1e-6);
      expect(Math.abs(logMarginal(tau, noise * up) - logMarginal(tau, noise * down)) / 2e-4).toBeLessThan(1e-6);
      for (const [a, b] of [
        [0.8, 1],
        [1.25, 1],
        [1, 0.8],
        [1, 1.25],
        [0.8, 0.8],
        [1.25, 0.8],
      ] as const) {
        expect(logMarginal(a * tau, b * noise)).toBeLessThan(logMarginal(tau, noise));
      }
    },
  );
});

describe('no maximum', () => {
  const [some] = fc.sample(regressions, { seed: 2, numRuns: 1 }) as [Posterior];
  const labels = some.datasetSize * some.outputs;
  const without = (squares: number): Posterior => ({
    ...some,
    likelihood: gaussian({ noiseVariance: 1 }),
    logLikelihood: -0.5 * (squares + labels * Math.log(2 * Math.PI)),
  });

  it.each([
    ['no residuals', without(0), 'logLikelihood'],
    ['residuals that float32 cannot show beside the noise', without(1e-7 * labels), 'logLikelihood'],
    ['weights of 0', withMeans(without(labels), ({ mean }) => mean.data.map(() => 0)), 'mean'],
    ['no Gaussian', { ...some, likelihood: { _tag: 'poisson' } } as Posterior, 'likelihood'],
  ])('%s', (_, posterior, field) => {
    expect(maximiseEvidence(posterior, { noise: 'estimated' })).toMatchObject({ left: { kind: 'InvalidInput', field } });
  });

  it('refuses another word', () => {
    const refused = expect.objectContaining({ kind: 'InvalidOption', field: 'noise' });
    expect(() => maximiseEvidence({ noise: 'learned' as never })).toThrow(refused);
  });

  it('a Fisher matrix of one’s own', () => {
    const estimator = { _tag: 'kfac', fisher: { _tag: 'customFisher', name: 'own' }, weightSharing: 'expand' } as const;
    const found = maximiseEvidence({ ...some, estimator }, { noise: 'estimated' });
    expect(found).toMatchObject({ left: { kind: 'InvalidInput', field: 'estimator.fisher' } });
  });
});

it('is the optimum of a prior for each layer too: moving one makes it worse', () => {
  check(
    fc.property(regressions, (posterior) => {
      const { posterior: best, evidence: top } = estimated(posterior, 'layer');
      const slack = 1e-9 * (1 + Math.abs(top.logMarginalLikelihood));
      for (const [low, high] of [
        [0.5, 1],
        [2, 1],
        [1, 0.5],
        [1, 2],
      ] as const) {
        const [a, b] = best.layers.map(({ priorPrecision }) => priorPrecision) as [number, number];
        const other = evidence(right(withPrior(best, perLayer({ low: low * a, top: high * b }))));
        expect(other.logMarginalLikelihood).toBeLessThanOrEqual(top.logMarginalLikelihood + slack);
      }
    }),
  );
});
