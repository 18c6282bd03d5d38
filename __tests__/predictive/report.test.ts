/** What a user reads: reports of chosen samples and distributions, and of whole predictions. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, of, toArray } from 'rxjs';
import {
  activationSampling,
  bernoulli,
  type Classification,
  categorical,
  gaussian,
  type Likelihood,
  linearised,
  type Predictive,
  type Regression,
  sampleModels,
  weightSampling,
} from 'tfjs-laplace';
import { type Head, readNetwork } from '../../src/network/network.js';
import { reportLinearised } from '../../src/predictive/report/linearisedReport.js';
import { reportSamples } from '../../src/predictive/report/report.js';
import { LINK } from '../support/links.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, numbersOf, relativeError } from '../support/math/numbers.js';

const entropyOf = (p: ReadonlyArray<number>): number => -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log(v) : 0), 0);

const networkOf = (likelihood: Likelihood, C: number): Head => right(readNetwork(chain([C]), likelihood)).heads[0] as Head;

const PREDICTIVES: ReadonlyArray<readonly [string, Predictive]> = [
  ['linearised', linearised()],
  ['activationSampling', activationSampling({ samples: 8 })],
  ['weightSampling', weightSampling({ samples: 8 })],
];

async function fitted(likelihood: Likelihood, C = 3, activation: 'tanh' | 'relu' | 'softplus' = 'tanh', priorPrecision = 0.3) {
  const model = chain([4, C], { activation });
  const posterior = await posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, 8)), { priorPrecision });
  return { model, posterior, x: inputsFor(model, 5, 21)[0] as tf.Tensor };
}

describe('samples', () => {
  it('of classes: mean probabilities, their entropy, the mean entropy, and the difference', () => {
    const draws = [
      [0.9, 0.1],
      [0.5, 0.5],
      [0.1, 0.9],
      [0.2, 0.8],
      [0.2, 0.8],
      [0.2, 0.8],
    ];
    const found = reportSamples(networkOf(categorical(), 2), Float32Array.from(draws.flat()), 3, 2) as Classification;
    expect(
      relativeError(found.probabilities, [
        [0.5, 0.5],
        [0.2, 0.8],
      ]),
    ).toBeLessThan(FLOAT32);
    const expected = (entropyOf([0.9, 0.1]) * 2 + Math.log(2)) / 3;
    expect(relativeError(found.entropy, [Math.log(2), entropyOf([0.2, 0.8])])).toBeLessThan(FLOAT32);
    expect(relativeError(found.expectedEntropy, [expected, entropyOf([0.2, 0.8])])).toBeLessThan(FLOAT32);
    expect(relativeError(found.mutualInformation, [Math.log(2) - expected, 0])).toBeLessThan(FLOAT32);
  });

  it('of labels: entropies summed over them', () => {
    const found = reportSamples(networkOf(bernoulli(), 2), Float32Array.from([0.9, 0.5, 0.5, 0.5]), 2, 2) as Classification;
    const binary = (p: number) => entropyOf([p, 1 - p]);
    expect(relativeError(found.probabilities, [[0.7, 0.5]])).toBeLessThan(FLOAT32);
    expect(relativeError(found.entropy, [binary(0.7) + binary(0.5)])).toBeLessThan(FLOAT32);
    expect(relativeError(found.expectedEntropy, [(binary(0.9) + 3 * binary(0.5)) / 2])).toBeLessThan(FLOAT32);
  });

  it('of a regression: mean, unbiased variance, mean noise, and their sum', () => {
    // Two examples: each network's two means, then its two noise variances.
    const draws = [
      [1, 10, 0.3, 2],
      [2, 10, 0.3, 4],
      [6, 10, 0.3, 6],
      [0, 1, 1, 1],
      [0, 1, 1, 1],
      [0, 4, 1, 1],
    ];
    const found = reportSamples(networkOf(gaussian(), 2), Float32Array.from(draws.flat()), 3, 4) as Regression;
    const means = [
      [3, 10],
      [0, 2],
    ];
    expect(relativeError(found.mean, means)).toBeLessThan(FLOAT32);
    expect(relativeError(found.epistemicVariance, [7, 0, 0, 3])).toBeLessThan(FLOAT32);
    expect(relativeError(found.noiseVariance, [0.3, 4, 1, 1])).toBeLessThan(FLOAT32);
    expect(relativeError(found.totalVariance, [7.3, 4, 1, 4])).toBeLessThan(FLOAT32);
  });
});

describe('a linearised report', () => {
  it('of a regression is mean and variance as they are, and their sum with the noise', () => {
    const found = reportLinearised(
      networkOf(gaussian({ noiseVariance: 0.3 }), 2),
      Float32Array.of(1, 2),
      Float32Array.of(0.5, 4),
      LINK,
    ) as Regression;
    expect(relativeError(found.epistemicVariance, [[0.5, 4]])).toBeLessThan(FLOAT32);
    expect(relativeError(found.noiseVariance, [[0.3, 0.3]])).toBeLessThan(FLOAT32);
    expect(relativeError(found.totalVariance, [[0.8, 4.3]])).toBeLessThan(FLOAT32);
  });

  it('of classes takes the diagonal of a full covariance', () => {
    const network = networkOf(categorical(), 2);
    const full = reportLinearised(network, Float32Array.of(1, -1), Float32Array.of(2, 0.9, 0.9, 3), LINK) as Classification;
    const diagonal = reportLinearised(network, Float32Array.of(1, -1), Float32Array.of(2, 3), LINK) as Classification;
    expect(full.probabilities).toEqual(diagonal.probabilities);
    // What two classes share cannot change their order: correlation makes the labels of each network surer.
    expect(full.expectedEntropy[0]).not.toBe(diagonal.expectedEntropy[0]);
  });

  it('has no entropy below 0, however sure the network is', () => {
    // Draws of these outputs have entropies that rounding takes to −1e-17.
    const found = [30, 40, 100, 300].map(
      (f) =>
        reportLinearised(networkOf(categorical(), 2), Float32Array.of(f, 0), Float32Array.of(1, 1e-3), LINK) as Classification,
    );
    expect(found.filter(({ entropy, expectedEntropy }) => Math.min(...entropy, ...expectedEntropy) < 0)).toEqual([]);
  });

  it('has no probability below 0, however sure the network is', () => {
    // The quadrature of these labels is a sum that rounding takes to some −1e-16.
    const means = Array.from({ length: 100 }, (_, i) => i / 20 - 60);
    const found = means.map((f) =>
      reportLinearised(networkOf(bernoulli(), 1), Float32Array.of(f), Float32Array.of(41), { ...LINK, link: 'monteCarlo' }),
    ) as Classification[];
    expect(found.map(({ probabilities }) => probabilities[0]?.[0]).filter((p) => !((p as number) >= 0))).toEqual([]);
  });

  it.each<[string, Float32Array, Float32Array]>([
    ['mean', Float32Array.of(Number.NaN, 1), Float32Array.of(1, 1)],
    ['covariance', Float32Array.of(0, 1), Float32Array.of(1, Number.POSITIVE_INFINITY)],
  ])('refuses a %s that is not finite', (field, mean, covariance) => {
    expect(() => reportLinearised(networkOf(categorical(), 2), mean, covariance, LINK)).toThrow(
      expect.objectContaining({ kind: 'NotFinite', field }),
    );
  });
});

describe.each(PREDICTIVES)('%s', (_, predictive) => {
  it.each([categorical(), bernoulli()])('gives probabilities and entropies that belong together: $_tag', async (likelihood) => {
    const { model, posterior, x } = await fitted(likelihood);
    const found = (await predictOne(model, posterior, predictive, x)) as Classification;
    found.probabilities.forEach((p, b) => {
      expect(p).toHaveLength(3);
      expect(Math.min(...p)).toBeGreaterThan(0);
      if (likelihood._tag === 'categorical') expect(Math.abs(numbersOf(p).reduce((sum, v) => sum + v, 0) - 1)).toBeLessThan(1e-6);
      const entropy =
        likelihood._tag === 'categorical'
          ? entropyOf(numbersOf(p))
          : numbersOf(p).reduce((sum, v) => sum + entropyOf([v, 1 - v]), 0);
      expect(relativeError(found.entropy[b] as number, entropy)).toBeLessThan(FLOAT32);
      const [total, expected, information] = [found.entropy, found.expectedEntropy, found.mutualInformation].map(
        (e) => e[b] as number,
      ) as [number, number, number];
      expect(information).toBeGreaterThanOrEqual(0);
      expect(information).toBeCloseTo(Math.max(0, total - expected), 6);
    });
    expect(Math.max(...found.mutualInformation)).toBeGreaterThan(0);
  });

  it('gives a regression whose variances add up', async () => {
    const { model, posterior, x } = await fitted(gaussian({ noiseVariance: 0.3 }), 2);
    const found = (await predictOne(model, posterior, predictive, x)) as Regression;
    const [epistemic, noise, total] = [found.epistemicVariance, found.noiseVariance, found.totalVariance].map(numbersOf) as [
      number[],
      number[],
      number[],
    ];
    expect(Math.min(...epistemic)).toBeGreaterThan(0);
    expect(
      relativeError(
        noise,
        epistemic.map(() => 0.3),
      ),
    ).toBeLessThan(FLOAT32);
    expect(
      relativeError(
        total,
        epistemic.map((v) => v + 0.3),
      ),
    ).toBeLessThan(FLOAT32);
  });

  it('refuses inputs that are not finite, whatever the activations make of them', async () => {
    const { model, posterior } = await fitted(categorical(), 3, 'relu');
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const x = tf.tensor2d([0, 1, 2, 3, value, 5], [2, 3]);
      await expect(predictOne(model, posterior, predictive, x)).rejects.toMatchObject({ kind: 'NotFinite', field: 'x' });
    }
  });

  it('says so when outputs overflow', async () => {
    const { model, posterior } = await fitted(gaussian(), 2, 'softplus');
    const x = tf.fill([2, 3], 3e38);
    await expect(predictOne(model, posterior, predictive, x)).rejects.toMatchObject({ kind: 'NotFinite' });
  });
});

it('averages the networks that sampleModels gives for the same seed', async () => {
  const { model, posterior, x } = await fitted(categorical());
  const members = await lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: 5, seed: 11 }), toArray()));
  const expected = tf.tidy(() =>
    (tf.mean(tf.stack(members.map((m) => tf.softmax(m.predict(x) as tf.Tensor))), 0) as tf.Tensor2D).arraySync(),
  );
  const found = (await predictOne(model, posterior, weightSampling({ samples: 5, seed: 11 }), x)) as Classification;
  expect(relativeError(found.probabilities, expected)).toBeLessThan(FLOAT32);
});

it('takes the variances alone for very many classes', async () => {
  const { model, posterior, x } = await fitted(categorical(), 65);
  const found = (await predictOne(model, posterior, linearised(), x)) as Classification;
  expect(found.probabilities.map((p) => p.length)).toEqual([65, 65, 65, 65, 65]);
  expect(Math.max(...found.entropy)).toBeLessThanOrEqual(Math.log(65) + 1e-6);
});

it.each([activationSampling({ samples: 1 }), weightSampling({ samples: 1 })])(
  'refuses a variance of one sample: $_tag',
  async (predictive) => {
    const { model, posterior, x } = await fitted(gaussian());
    await expect(predictOne(model, posterior, predictive, x)).rejects.toMatchObject({
      kind: 'InvalidOption',
      field: 'predictive.samples',
    });
  },
);
