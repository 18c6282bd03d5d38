/** The posterior's eigenbasis against dense inverses and determinants of the materialised precision, on random factors. */
import fc from 'fast-check';
import {
  type Damping,
  evidence,
  exactDamping,
  type Factors,
  factoredDamping,
  isotropic,
  type Posterior,
  perLayer,
  withDamping,
  withPrior,
} from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { posteriorOf } from '../../src/posterior/posteriorOf.js';
import { identity, inverse, layerPrecision, logDet } from '../support/math/dense64.js';
import { right } from '../support/math/laplace.js';
import { relativeError } from '../support/math/numbers.js';
import { covarianceOf, factorsWith, secondMoment, TWO_LAYERS, twoLayers } from '../support/math/posteriors64.js';

/** Precisions have condition numbers up to N ‖A‖ ‖G‖ / τ < 1e5: an inverse is off by that times 2⁻⁵³ times its size of 20. */
const INVERTED = 1e-9;

const DAMPINGS: ReadonlyArray<readonly [string, Damping]> = [
  ['exact', exactDamping()],
  ['factored', factoredDamping()],
];

/** Two layers, of full rank or not, and what a posterior needs. */
const problems = fc
  .record({
    ...TWO_LAYERS,
    N: fc.integer({ min: 1, max: 100 }),
    taus: fc.tuple(fc.double({ min: 0.1, max: 10, noNaN: true }), fc.double({ min: 0.1, max: 10, noNaN: true })),
  })
  .map(({ sizes, ranks, seed, N, taus }) => {
    const layers = twoLayers(sizes, ranks, seed);
    return { layers, N, taus, factors: factorsWith(layers, N) };
  });

/** The same problems in every run. */
const check = <A>(property: fc.IProperty<A>): void => fc.assert(property, { seed: 1 });

const build = (factors: Factors, taus: readonly [number, number], damping: Damping): Posterior =>
  right(posteriorOf(factors, { prior: perLayer({ low: taus[0], top: taus[1] }), damping, layers: 'all' }, javascriptEngine));

describe.each(DAMPINGS)('%s damping', (_, damping) => {
  it('has the inverse of the materialised precision as its covariance, layer by layer', () => {
    check(
      fc.property(problems, ({ layers, N, taus, factors }) => {
        const posterior = build(factors, taus, damping);
        layers.forEach(({ A, G }, l) => {
          const expected = inverse(layerPrecision(A, G, N, taus[l] as number, damping._tag));
          expect(relativeError(covarianceOf(posterior, l), expected)).toBeLessThan(INVERTED);
        });
      }),
    );
  });

  it('has the log determinants of precision over prior in its evidence', () => {
    check(
      fc.property(problems, ({ layers, N, taus, factors }) => {
        const found = evidence(build(factors, taus, damping));
        const expected = layers.reduce((sum, { A, G }, l) => {
          const tau = taus[l] as number;
          return sum + logDet(layerPrecision(A, G, N, tau, damping._tag)) - A.length * G.length * Math.log(tau);
        }, 0);
        const scatter = factors.weights.reduce(
          (sum, { data }, l) => sum + data.reduce((s, v) => s + v * v, 0) * (taus[l] as number),
          0,
        );
        // Absolute: the ratio may be near 0, its terms are logarithms of numbers up to 1e5.
        expect(Math.abs(found.logDetRatio - expected)).toBeLessThan(INVERTED);
        expect(relativeError(found.scatter, scatter)).toBeLessThan(1e-13);
        const { logLikelihood, logDetRatio, logMarginalLikelihood } = found;
        expect(logLikelihood).toBe(factors.logLikelihood);
        expect(logMarginalLikelihood).toBe(logLikelihood - 0.5 * (logDetRatio + found.scatter));
      }),
    );
  });

  it('is the prior where the data say nothing', () => {
    const zeros = (size: number) => identity(size).map((row) => row.map(() => 0));
    const factors = factorsWith(
      [
        { name: 'low', A: zeros(3), G: secondMoment(2, 1) },
        { name: 'top', A: zeros(2), G: zeros(2) },
      ],
      10,
    );
    const posterior = build(factors, [0.5, 4], damping);
    if (damping._tag === 'exact')
      expect(
        relativeError(
          covarianceOf(posterior, 0),
          identity(6).map((row) => row.map((v) => v / 0.5)),
        ),
      ).toBeLessThan(1e-14);
    expect(
      relativeError(
        covarianceOf(posterior, 1),
        identity(4).map((row) => row.map((v) => v / 4)),
      ),
    ).toBeLessThan(1e-14);
  });

  it('takes another prior without decomposing anew: the same value as a posterior built with it', () => {
    check(
      fc.property(problems, ({ factors, taus }) => {
        const other = perLayer({ low: taus[1], top: 3 });
        const rebuilt = right(posteriorOf(factors, { prior: other, damping, layers: 'all' }, javascriptEngine));
        expect(right(withPrior(build(factors, taus, damping), other))).toEqual(rebuilt);
        const isotropicOnce = right(posteriorOf(factors, { prior: isotropic(7), damping, layers: 'all' }, javascriptEngine));
        expect(right(withPrior(rebuilt, isotropic(7)))).toEqual(isotropicOnce);
      }),
    );
  });

  it('gives the other damping without decomposing anew, and back', () => {
    check(
      fc.property(problems, ({ factors, taus }) => {
        for (const [, other] of DAMPINGS) {
          expect(withDamping(build(factors, taus, damping), other)).toEqual(build(factors, taus, other));
        }
      }),
    );
  });
});

it('is never wider under factored damping than under exact', () => {
  check(
    fc.property(problems, ({ factors, taus, layers }) => {
      const [exact, factored] = DAMPINGS.map(([, damping]) => build(factors, taus, damping)) as [Posterior, Posterior];
      layers.forEach((_, l) => {
        const wide = covarianceOf(exact, l);
        covarianceOf(factored, l).forEach((row, i) => expect(row[i]).toBeLessThanOrEqual((wide[i]?.[i] as number) * (1 + 1e-12)));
      });
    }),
  );
});

it('stands for N examples, whatever the number that was observed', () => {
  const layers = [{ name: 'low', A: secondMoment(3, 1), G: secondMoment(2, 2) }];
  const options = { prior: isotropic(2), damping: exactDamping(), layers: 'all' } as const;
  const asked = right(posteriorOf(factorsWith(layers, 10), { ...options, datasetSize: 500 }, javascriptEngine));
  const observed = right(posteriorOf(factorsWith(layers, 500), options, javascriptEngine));
  expect(relativeError(covarianceOf(asked, 0), covarianceOf(observed, 0))).toBeLessThan(1e-12);
  expect(asked.datasetSize).toBe(500);
  expect(relativeError(evidence(asked).logMarginalLikelihood, evidence(observed).logMarginalLikelihood)).toBeLessThan(1e-12);
  // Several epochs over the same data count more examples than there are.
  const epochs = { ...factorsWith(layers, 1000), datasetSize: 500 };
  const twice = right(posteriorOf(epochs, options, javascriptEngine));
  expect(relativeError(covarianceOf(twice, 0), covarianceOf(observed, 0))).toBeLessThan(1e-12);
  expect(relativeError(twice.logLikelihood, observed.logLikelihood)).toBeLessThan(1e-12);
});
