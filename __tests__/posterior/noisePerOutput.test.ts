/** Noise variances that change for each output: against observing with them, differences of the evidence, grids and closed forms. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  type Curvature,
  diagonal,
  type Evidence,
  ekfac,
  evidence,
  evidenceGradient,
  exactDamping,
  factoredDamping,
  full,
  gaussian,
  isotropic,
  kfac,
  type Likelihood,
  linearised,
  maximiseEvidence,
  type Posterior,
  perStep,
  withNoiseVariance,
  withPrior,
} from 'tfjs-laplace';
import { inverse, logDet, product, transposed } from '../support/math/dense64.js';
import { dataFor, factorsOf, kindOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { chain, dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { covarianceOf } from '../support/math/posteriors64.js';

let model: tf.LayersModel;
beforeAll(() => {
  model = chain([4, 3]);
});
const N = 9;
const FIRST = [0.2, 0.5, 3];
const OTHER = [1.4, 0.1, 2.2];

const CURVATURES: ReadonlyArray<readonly [string, Curvature]> = [
  ['kfac', kfac({ noise: 'perOutput' })],
  ['the last layer', kfac({ layers: 'last', noise: 'perOutput' })],
  ['diagonal', diagonal({ noise: 'perOutput' })],
  ['full', full({ noise: 'perOutput' })],
];
const DAMPINGS = [exactDamping(), factoredDamping()];

const observed = async (likelihood: Likelihood, curvature: Curvature, damping = exactDamping()): Promise<Posterior> =>
  posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, N), curvature), { priorPrecision: 0.3, damping });

/** Evidence at three priors, and the covariance of all weights. */
const numbersOf = (posterior: Posterior): number[] => [
  ...[0.01, 0.3, 20].map((tau) => evidence(right(withPrior(posterior, isotropic(tau)))).logDetRatio),
  ...posterior.layers.flatMap((_, l) => covarianceOf(posterior, l).flat()),
];

const sharesOf = ({ layers }: Posterior) => layers.flatMap(({ shares }) => [...(shares ?? [])]);

describe.each(DAMPINGS)('$_tag damping', (damping) => {
  describe.each(CURVATURES)('%s', (_, curvature) => {
    it.each([
      ['three variances', FIRST, OTHER],
      ['one variance, and then three', 0.7, OTHER],
      ['three variances, and then one', FIRST, 0.7],
    ])('is as observed with other variances: %s', async (__, first, other) => {
      const given = await observed(gaussian({ noiseVariance: first }), curvature, damping);
      const expected = await observed(gaussian({ noiseVariance: other }), curvature, damping);
      const found = right(withNoiseVariance(given, other));
      expect(relativeError(numbersOf(found), numbersOf(expected))).toBeLessThan(FLOAT32);
      expect(relativeError(found.logLikelihood, expected.logLikelihood)).toBeLessThan(FLOAT32);
      expect(relativeError(sharesOf(found), sharesOf(expected))).toBeLessThan(FLOAT32);
      expect(relativeError([...(found.squares ?? [])], [...(expected.squares ?? [])])).toBeLessThan(FLOAT32);
      // And there is a difference to be seen.
      expect(relativeError(numbersOf(given), numbersOf(expected))).toBeGreaterThan(100 * FLOAT32);
    });

    it('goes there and back, and by a factor as others do', async () => {
      const given = await observed(gaussian({ noiseVariance: FIRST }), curvature, damping);
      const back = right(withNoiseVariance(right(withNoiseVariance(given, OTHER)), FIRST));
      expect(relativeError(numbersOf(back), numbersOf(given))).toBeLessThan(1e-9);
      const doubled = FIRST.map((v) => 2 * v);
      const byFactor = right(withNoiseVariance(given, doubled));
      const nearly = right(withNoiseVariance(given, [0.4 * (1 + 1e-8), 1, 6]));
      // The factor decomposes nothing; the others do, and come to the same.
      expect(relativeError(numbersOf(byFactor), numbersOf(nearly))).toBeLessThan(1e-7);
      expect(relativeError(sharesOf(byFactor), sharesOf(nearly))).toBeLessThan(1e-7);
    });

    it('has the slopes of differences in log σ² of each output, which add up to the slope of a factor', async () => {
      const given = await observed(gaussian({ noiseVariance: FIRST }), curvature, damping);
      const { logNoiseVariances, logNoiseVariance } = evidenceGradient(given);
      const at = (c: number, u: number): Evidence =>
        evidence(
          right(
            withNoiseVariance(
              given,
              FIRST.map((v, i) => (i === c ? v * Math.exp(u) : v)),
            ),
          ),
        );
      // The error of a central difference is 1e-6 / 6 of the third derivative; rounding adds 1e-10.
      const step = 1e-3;
      const size = N * 3 + Math.abs(given.logLikelihood);
      FIRST.forEach((__, c) => {
        const slope = (at(c, step).logMarginalLikelihood - at(c, -step).logMarginalLikelihood) / (2 * step);
        expect(Math.abs(slope - (logNoiseVariances?.[c] as number))).toBeLessThan(1e-6 * size);
      });
      const sum = (logNoiseVariances ?? []).reduce((a, b) => a + b, 0);
      // The one adds up squared errors, the other takes them from the log-likelihood: both are float32 sums.
      expect(Math.abs(sum - (logNoiseVariance as number))).toBeLessThan(FLOAT32 * size);
    });

    it.each(['all', 'layer'] as const)('finds where all slopes are 0, with precisions per %s', async (per) => {
      const given = await observed(gaussian({ noiseVariance: FIRST }), curvature, damping);
      const found = right(maximiseEvidence(given, { per, noise: 'perOutput' }));
      const { logNoiseVariances, logPrecision, logPrecisions } = evidenceGradient(found.posterior);
      for (const slope of logNoiseVariances ?? []) expect(Math.abs(slope)).toBeLessThan(1e-8 * N);
      for (const slope of per === 'all' ? [logPrecision] : Object.values(logPrecisions))
        expect(Math.abs(slope)).toBeLessThan(1e-8 * N);
      expect(found.posterior.likelihood).toEqual(gaussian({ noiseVariance: found.noiseVariance as number[] }));
      const shared = right(maximiseEvidence(given, { per, noise: 'estimated' }));
      expect(found.evidence.logMarginalLikelihood).toBeGreaterThan(shared.evidence.logMarginalLikelihood);
    });
  });
});

it('is the highest evidence of a grid around it, from wherever it starts', async () => {
  const given = await observed(gaussian({ noiseVariance: FIRST }), kfac({ noise: 'perOutput' }));
  const best = right(maximiseEvidence(given, { noise: 'perOutput' }));
  const top = best.evidence.logMarginalLikelihood;
  const variances = best.noiseVariance as ReadonlyArray<number>;
  fc.assert(
    fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 }), (moves) => {
      const elsewhere = right(
        withNoiseVariance(
          given,
          variances.map((v, c) => v * Math.exp(moves[c] as number)),
        ),
      );
      const there = right(maximiseEvidence(elsewhere)).evidence.logMarginalLikelihood;
      expect(there).toBeLessThanOrEqual(top + 1e-9 * Math.abs(top));
      const again = right(maximiseEvidence(elsewhere, { noise: 'perOutput' }));
      expect(relativeError([...(again.noiseVariance as number[])], [...variances])).toBeLessThan(1e-6);
    }),
    { seed: 3, numRuns: 20 },
  );
});

it('has the closed form in a linear model: each output is a Bayesian regression by itself, and they share τ', async () => {
  const linear = tf.sequential({ layers: [tf.layers.dense({ units: 2, useBias: false, inputShape: [3] })] });
  const W = [
    [1, -0.5],
    [0.3, 2],
    [-1.2, 0.4],
  ];
  linear.setWeights([tf.tensor2d(W)]);
  const next = normalSource(8);
  const X = Array.from({ length: 30 }, () => take(3, next));
  const sigmas = [0.3, 1.5];
  const Y = X.map((row) =>
    sigmas.map((sigma, c) => row.reduce((sum, v, i) => sum + v * (W[i]?.[c] as number), 0) + sigma * next()),
  );
  const posterior = await posteriorFrom(
    await factorsOf(linear, gaussian(), { x: [tf.tensor2d(X)], y: tf.tensor2d(Y) }, full({ noise: 'perOutput' })),
    { priorPrecision: 1 },
  );
  const gram = product(transposed(X), X);
  const squares = [0, 1].map((c) =>
    Y.reduce((sum, y, b) => sum + ((product([X[b] as number[]], W)[0]?.[c] as number) - (y[c] as number)) ** 2, 0),
  );
  const scatter = W.flat().reduce((sum, v) => sum + v * v, 0);
  /** log p(D | τ, σ²) at the weights W, which are not moved. */
  const closed = (tau: number, variances: ReadonlyArray<number>): number =>
    variances.reduce(
      (sum, v, c) => {
        const precision = gram.map((row, i) => row.map((g, j) => g / v + (i === j ? tau : 0)));
        return sum - 0.5 * ((squares[c] as number) / v + 30 * Math.log(2 * Math.PI * v) + logDet(precision) - 3 * Math.log(tau));
      },
      -0.5 * tau * scatter,
    );
  const found = right(maximiseEvidence(posterior, { noise: 'perOutput' }));
  const [tau, best] = [found.posterior.layers[0]?.priorPrecision as number, found.noiseVariance as number[]];
  expect(found.evidence.logMarginalLikelihood).toBeCloseTo(closed(tau, best), 3);
  // MacKay's equations, in closed form: σ_c² (N − γ_c) = Σ (f − y)², γ_c = tr (XᵀX / σ_c²) (XᵀX / σ_c² + τ)⁻¹.
  const gammas = best.map((v) => {
    const covariance = inverse(gram.map((row, i) => row.map((g, j) => g / v + (i === j ? tau : 0))));
    return product(gram, covariance).reduce((sum, row, i) => sum + (row[i] as number) / v, 0);
  });
  best.forEach((v, c) => expect(relativeError(v * (30 - (gammas[c] as number)), squares[c] as number)).toBeLessThan(FLOAT32));
  expect(
    relativeError(
      tau * scatter,
      gammas.reduce((a, b) => a + b, 0),
    ),
  ).toBeLessThan(FLOAT32);
  // And the noise of each output is found for what it is: 30 labels tell a variance to about a quarter.
  best.forEach((v, c) => expect(Math.abs(Math.log(v / (sigmas[c] as number) ** 2))).toBeLessThan(5 * Math.sqrt(2 / 30)));
});

it('predicts as observed at these variances, noise included', async () => {
  const [x] = inputsFor(model, 5, 21) as [tf.Tensor];
  const given = await observed(gaussian({ noiseVariance: FIRST }), kfac({ noise: 'perOutput' }));
  const found = await predictOne(model, right(withNoiseVariance(given, OTHER)), linearised(), x);
  const expected = await predictOne(model, await observed(gaussian({ noiseVariance: OTHER }), kfac()), linearised(), x);
  if (found._tag !== 'regression' || expected._tag !== 'regression') throw new Error('a regression was expected');
  expect(relativeError(found.totalVariance, expected.totalVariance)).toBeLessThan(FLOAT32);
  expect(relativeError(found.noiseVariance, expected.noiseVariance)).toBeLessThan(FLOAT32);
});

it('works along the directions of ekfac, which stay where they are', async () => {
  const given = await observed(gaussian({ noiseVariance: FIRST }), ekfac({ noise: 'perOutput' }));
  const there = right(withNoiseVariance(given, OTHER));
  const back = right(withNoiseVariance(there, FIRST));
  expect(relativeError(numbersOf(back), numbersOf(given))).toBeLessThan(1e-9);
  const { logNoiseVariances } = evidenceGradient(right(maximiseEvidence(given, { noise: 'perOutput' })).posterior);
  for (const slope of logNoiseVariances ?? []) expect(Math.abs(slope)).toBeLessThan(1e-8 * N);
});

it('counts a subset as the data set that it stands for, and covers chosen layers alone', async () => {
  const data = dataFor(model, gaussian(), N);
  const at = async (noiseVariance: number[]) =>
    posteriorFrom(await factorsOf(model, gaussian({ noiseVariance }), data, kfac({ noise: 'perOutput' })), {
      datasetSize: 40,
      layers: 'last',
    });
  const [found, expected] = [right(withNoiseVariance(await at(FIRST), OTHER)), await at(OTHER)];
  expect(found.layers).toHaveLength(1);
  expect(relativeError(numbersOf(found), numbersOf(expected))).toBeLessThan(FLOAT32);
  expect(relativeError(found.logLikelihood, expected.logLikelihood)).toBeLessThan(FLOAT32);
});

it('works for the steps of a sequence', async () => {
  const steps = withWeights(
    functional([4, 2], (x) => on(dense(2, { activation: 'linear' }), on(dense(3), x))),
    7,
  );
  const data = { x: inputsFor(steps, 5, 3), y: tf.tensor(take(5 * 4 * 2, normalSource(4)), [5, 4, 2]) };
  const at = async (noiseVariance: number[]) =>
    posteriorFrom(await factorsOf(steps, perStep(gaussian({ noiseVariance })), data, kfac({ noise: 'perOutput' })), {});
  const [found, expected] = [right(withNoiseVariance(await at([0.2, 3]), [1, 0.4])), await at([1, 0.4])];
  expect(relativeError(numbersOf(found), numbersOf(expected))).toBeLessThan(FLOAT32);
  expect(relativeError(found.logLikelihood, expected.logLikelihood)).toBeLessThan(FLOAT32);
  expect(right(maximiseEvidence(found, { noise: 'perOutput' })).noiseVariance).toHaveLength(2);
});

it('is frozen, and leaves the posterior alone', async () => {
  const posterior = await observed(gaussian({ noiseVariance: FIRST }), kfac({ noise: 'perOutput' }));
  const before = structuredClone(posterior);
  const found = right(withNoiseVariance(posterior, OTHER));
  expect(posterior).toEqual(before);
  for (const value of [
    found,
    found.layers,
    found.likelihood,
    found.squares,
    ...found.layers,
    ...found.layers.map(({ shares }) => shares),
  ])
    expect(Object.isFrozen(value)).toBe(true);
});

it('finds the maximum where the first step leads far beyond it: few labels, and very many weights', async () => {
  const wide = withWeights(
    functional([2], (x) => on(dense(2), on(dense(3000, { activation: 'tanh' }), x))),
    7,
  );
  const x = inputsFor(wide, 4, 3)[0] as tf.Tensor;
  const y = tf.add(wide.predict(x) as tf.Tensor, tf.mul(1e-3, tf.tensor2d(take(8, normalSource(3)), [4, 2])));
  const factors = await factorsOf(wide, gaussian({ noiseVariance: 1e-6 }), { x: [x], y }, diagonal({ noise: 'perOutput' }), 4);
  const found = right(maximiseEvidence(await posteriorFrom(factors, {}), { noise: 'perOutput' }));
  const shared = right(maximiseEvidence(await posteriorFrom(factors, {}), { noise: 'estimated' }));
  expect(found.evidence.logMarginalLikelihood).toBeGreaterThanOrEqual(shared.evidence.logMarginalLikelihood - 1e-6);
});

it('takes the squared errors that it has, however small they are beside the noise', async () => {
  const x = inputsFor(model, N, 3)[0] as tf.Tensor;
  const y = tf.add(model.predict(x) as tf.Tensor, tf.mul(1e-3, tf.tensor2d(take(3 * N, normalSource(3)), [N, 3])));
  const factors = await factorsOf(model, gaussian({ noiseVariance: 10 }), { x: [x], y }, kfac({ noise: 'perOutput' }));
  const posterior = await posteriorFrom(factors, {});
  const one = right(withNoiseVariance(posterior, 1e-6)).logLikelihood;
  const each = right(withNoiseVariance(posterior, [1e-6, 1.000001e-6, 1e-6])).logLikelihood;
  expect(Math.abs(one - each)).toBeLessThan(1e-4);
  expect(kindOf(maximiseEvidence(posterior, { noise: 'estimated' }))).toBeUndefined();
});

describe('errors', () => {
  it('names what is missing in a posterior without shares', async () => {
    const plain = await observed(gaussian({ noiseVariance: FIRST }), kfac());
    expect(kindOf(withNoiseVariance(plain, OTHER))).toBe('InvalidOption');
    const found = maximiseEvidence(plain, { noise: 'perOutput' });
    expect(found).toMatchObject({
      left: { kind: 'InvalidInput', message: expect.stringContaining("kfac({ noise: 'perOutput' })") },
    });
  });
  it('refuses variances that do not fit the outputs', async () => {
    const posterior = await observed(gaussian({ noiseVariance: FIRST }), kfac({ noise: 'perOutput' }));
    expect(withNoiseVariance(posterior, [1, 2])).toMatchObject({
      left: { kind: 'InvalidOption', message: expect.stringContaining('3 outputs') },
    });
  });
  it('has no maximum for an output without residuals', async () => {
    const posterior = await observed(gaussian(), kfac({ noise: 'perOutput' }));
    const exact = { ...posterior, squares: [0, ...(posterior.squares ?? []).slice(1)] };
    expect(kindOf(maximiseEvidence(exact, { noise: 'perOutput' }))).toBe('InvalidInput');
  });
});
