/** The gradient of the evidence against differences of the evidence itself, and against closed forms. */
import fc from 'fast-check';
import {
  type Damping,
  type Evidence,
  evidence,
  evidenceGradient,
  exactDamping,
  factoredDamping,
  gaussian,
  isotropic,
  type Posterior,
  perLayer,
  withNoiseVariance,
  withPrior,
} from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { determinant } from '../../src/posterior/evidence.js';
import { posteriorOf } from '../../src/posterior/posteriorOf.js';
import { identity, inverse, logDet, product, transposed } from '../support/math/dense64.js';
import { check, gaussianFactors, logLikelihoodOf, regressions, withMeans } from '../support/math/gaussian64.js';
import { right } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { inRows } from '../support/math/numbers.js';
import { matrixOf, secondMoment } from '../support/math/posteriors64.js';

/** Step of central differences: their error is 1e-6 / 6 of the third derivative, and 1e-11 of rounding. */
const STEP = 1e-3;

const precisions = (posterior: Posterior) => Object.fromEntries(posterior.layers.map((l) => [l.name, l.priorPrecision]));
const sigma2 = ({ likelihood }: Posterior): number => (likelihood as { noiseVariance: number }).noiseVariance;

/** The evidence with the logarithms of τ of some layers, and of σ², moved. */
function moved(posterior: Posterior, layers: ReadonlyArray<string>, t: number, u = 0): Evidence {
  const taus = Object.entries(precisions(posterior)).map(([name, tau]) => [
    name,
    layers.includes(name) ? tau * Math.exp(t) : tau,
  ]);
  const own = right(withPrior(posterior, perLayer(Object.fromEntries(taus))));
  return evidence(u === 0 ? own : right(withNoiseVariance(own, sigma2(posterior) * Math.exp(u))));
}

const difference = (of: (step: number) => Evidence): number =>
  (of(STEP).logMarginalLikelihood - of(-STEP).logMarginalLikelihood) / (2 * STEP);

/** How large a difference's terms are: third derivatives are no larger than these sums of exponentials and shares. */
function sizeOf(posterior: Posterior): number {
  const { scatter, logLikelihood } = evidence(posterior);
  const { datasetSize: N, outputs: C } = posterior;
  return 1 + scatter + Math.abs(logLikelihood) + N * C + posterior.layers.reduce((sum, l) => sum + 8 * l.n * l.m, 0);
}

it('has the slope of differences in log τ of each layer and of all, and in log σ²', () => {
  check(
    fc.property(regressions, (posterior) => {
      const { logPrecisions, logPrecision, logNoiseVariance } = evidenceGradient(posterior);
      const names = posterior.layers.map(({ name }) => name);
      const tolerance = 1e-6 * sizeOf(posterior);
      for (const name of names) {
        expect(Math.abs(difference((t) => moved(posterior, [name], t)) - (logPrecisions[name] as number))).toBeLessThan(
          tolerance,
        );
      }
      expect(Math.abs(difference((t) => moved(posterior, names, t)) - logPrecision)).toBeLessThan(tolerance);
      expect(Math.abs(difference((u) => moved(posterior, [], 0, u)) - (logNoiseVariance as number))).toBeLessThan(tolerance);
    }),
  );
});

it('a determinant has the second derivatives of differences, in τ and in the curvature of the outputs', () => {
  check(
    fc.property(regressions, (posterior) => {
      const noisier = (u: number): Posterior => right(withNoiseVariance(posterior, sigma2(posterior) * Math.exp(u)));
      const p = 'fisher' in posterior.estimator && posterior.estimator.fisher._tag === 'empirical' ? 2 : 1;
      posterior.layers.forEach((layer, l) => {
        const at = (u: number, t: number) => {
          const own = noisier(u);
          return determinant(own, own.layers[l] as never).effective(layer.priorPrecision * Math.exp(t));
        };
        const { cross, outputSlope, count, output } = at(0, 0);
        const tolerance = 1e-5 * (count + output) + 1e-10;
        // κ^(−p) multiplies the curvature.
        expect(Math.abs((at(0, STEP).output - at(0, -STEP).output) / (2 * STEP) - cross)).toBeLessThan(tolerance);
        expect(Math.abs((at(STEP, 0).output - at(-STEP, 0).output) / (2 * STEP) + p * outputSlope)).toBeLessThan(tolerance);
        expect(Math.abs((at(STEP, 0).count - at(-STEP, 0).count) / (2 * STEP) - p * cross)).toBeLessThan(tolerance);
      });
    }),
  );
});

it.each<[Damping]>([[exactDamping()], [factoredDamping()]])(
  'low rank and full posteriors have these slopes too: %j',
  (damping) => {
    const column = (values: number[]) => matrixOf(values.map((v) => [v]));
    const shared = { members: ['a'], groups: 1, bias: true, priorPrecision: 0.7 } as const;
    const layers = [
      {
        ...shared,
        name: 'a',
        structure: 'lowRank',
        n: 2,
        m: 4,
        mean: matrixOf(inRows(take(8, normalSource(1)), 4)),
        parts: {
          inputValues: column([0.3, 2]),
          inputVectors: matrixOf(identity(2)),
          diagonal: column([0.1, 0.5, 0, 2]),
          rankValues: column([3, 0.4]),
          rankVectors: matrixOf(inRows(take(8, normalSource(2)), 2)),
        },
      },
      {
        ...shared,
        name: 'b',
        structure: 'full',
        n: 5,
        m: 1,
        mean: matrixOf(inRows(take(5, normalSource(3)), 1)),
        parts: {
          inputValues: column([0.3, 2, 0, 1, 5]),
          inputVectors: matrixOf(identity(5)),
          gradientValues: column([1]),
        },
      },
    ] as const;
    const posterior: Posterior = {
      _tag: 'Posterior',
      layers,
      damping,
      likelihood: gaussian({ noiseVariance: 0.5 }),
      estimator: { _tag: 'lowRank', rank: 2 },
      outputs: 4,
      datasetSize: 30,
      fingerprint: 'f00d',
      logLikelihood: logLikelihoodOf(80, 120, 0.5),
    };
    const { logPrecisions, logNoiseVariance } = evidenceGradient(posterior);
    const tolerance = 1e-6 * sizeOf(posterior);
    for (const { name } of layers) {
      expect(Math.abs(difference((t) => moved(posterior, [name], t)) - (logPrecisions[name] as number))).toBeLessThan(tolerance);
    }
    expect(Math.abs(difference((u) => moved(posterior, [], 0, u)) - (logNoiseVariance as number))).toBeLessThan(tolerance);
  },
);

it('is −½ tr(Σ ∂P) of the closed form in Bayesian linear regression', () => {
  const [N, d, noise, tau] = [20, 4, 0.25, 0.6];
  const X = inRows(take(N * d, normalSource(1)), d);
  const gram = product(transposed(X), X);
  const A = gram.map((row) => row.map((v) => v / N));
  const options = { prior: isotropic(tau), damping: exactDamping(), layers: 'all' as const };
  const factors = gaussianFactors([{ name: 'low', A, G: [[1 / noise]] }], N, 7, noise);
  const weights = take(d, normalSource(2));
  const posterior = withMeans(right(posteriorOf(factors, options, javascriptEngine)), () => Float64Array.from(weights));
  const P = gram.map((row, i) => row.map((v, j) => v / noise + (i === j ? tau : 0)));
  const covariance = inverse(P);
  const trace = (M: number[][]): number => M.reduce((sum, row, i) => sum + (row[i] as number), 0);
  const norm = weights.reduce((sum, v) => sum + v * v, 0);
  const { logPrecision, logNoiseVariance } = evidenceGradient(posterior);
  // ½ d − ½ τ tr Σ − ½ τ ‖w‖²
  expect(logPrecision).toBeCloseTo(0.5 * (d - tau * trace(covariance) - tau * norm), 10);
  // ½ S / σ² − ½ N + ½ tr(Σ XᵀX / σ²)
  expect(logNoiseVariance).toBeCloseTo(0.5 * (7 / noise - N + trace(product(covariance, gram)) / noise), 10);
  expect(evidence(posterior).logDetRatio).toBeCloseTo(logDet(P) - d * Math.log(tau), 10);
});

it('has no slope in a noise variance where there is none', () => {
  const factors = gaussianFactors([{ name: 'low', A: secondMoment(2, 1), G: secondMoment(2, 2) }], 5, 7, 1);
  const options = { prior: isotropic(1), damping: exactDamping(), layers: 'all' as const };
  const own = right(
    posteriorOf({ ...factors, layout: { ...factors.layout, likelihood: { _tag: 'poisson' } } }, options, javascriptEngine),
  );
  expect(Object.keys(evidenceGradient(own)).sort()).toEqual(['logPrecision', 'logPrecisions']);
});
