/** Predictive moments of regressions: closed forms against quadrature, reports against each other, and draws of whole networks. */
import * as tf from '@tensorflow/tfjs';
import {
  activationSampling,
  gaussian,
  heteroscedastic,
  type Likelihood,
  linearised,
  type Predictive,
  poisson,
  type Regression,
  weightSampling,
} from 'tfjs-laplace';
import type { OutputLikelihood } from '../../src/likelihood/index.js';
import { likelihoodOps } from '../../src/likelihood/index.js';
import type { Moments } from '../../src/likelihood/moments.js';
import { type Head, readNetwork } from '../../src/network/network.js';
import { reportLinearised } from '../../src/predictive/report/linearisedReport.js';
import { LINK } from '../support/links.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, numbersOf, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

const regressionMoments = (likelihood: OutputLikelihood, mu: Float32Array, v: Float32Array): ReadonlyArray<Moments> =>
  likelihoodOps(likelihood, mu.length).gaussianMoments?.(mu, v) ?? [];

/** E[g(f)] for f ~ N(mu, v), by the trapezoidal rule. */
function expectation(g: (f: number) => number, mu: number, v: number): number {
  let sum = 0;
  for (let z = -12; z <= 12; z += 1 / 64) sum += g(mu + z * Math.sqrt(v)) * Math.exp(-0.5 * z * z);
  return sum / (64 * Math.sqrt(2 * Math.PI));
}

describe('closed forms are the expectations over the outputs', () => {
  const [mu, v] = [Float32Array.of(0.4, -1.2), Float32Array.of(0.3, 1.5)];

  it.each<[string, OutputLikelihood, (f: number) => number]>([
    ['poisson', poisson(), Math.exp],
    ['gaussian', gaussian({ noiseVariance: 0.7 }), (f) => f],
  ])('of one output for one label: %s', (_, likelihood, meanOf) => {
    regressionMoments(likelihood, mu, v).forEach(({ mean, epistemic, noise }, c) => {
      const [m, s2] = [mu[c] as number, v[c] as number];
      const first = expectation(meanOf, m, s2);
      const second = expectation((f) => meanOf(f) ** 2, m, s2);
      expect(relativeError([mean, epistemic], [first, second - first ** 2])).toBeLessThan(1e-9);
      expect(relativeError(noise, likelihood._tag === 'poisson' ? first : 0.7)).toBeLessThan(1e-9);
    });
  });

  it('of a mean and a log-variance', () => {
    const [found] = regressionMoments(heteroscedastic(), mu, v);
    const noise = expectation(Math.exp, mu[1] as number, v[1] as number);
    expect(
      relativeError([found?.mean ?? 0, found?.epistemic ?? 0, found?.noise ?? 0], [mu[0] as number, v[0] as number, noise]),
    ).toBeLessThan(1e-9);
  });

  it('of a noise variance for each output', () => {
    expect(regressionMoments(gaussian({ noiseVariance: [2, 3] }), mu, v).map(({ noise }) => noise)).toEqual([2, 3]);
  });
});

it('has half as many labels as outputs where the network predicts its noise', () => {
  const [head] = right(readNetwork(chain([4]), heteroscedastic())).heads as [Head];
  const found = reportLinearised(head, Float32Array.of(1, 2, 0, 1), Float32Array.of(0.5, 0.25, 0, 2), LINK) as Regression;
  expect(relativeError(found.mean, [1, 2])).toBeLessThan(FLOAT32);
  expect(relativeError(found.epistemicVariance, [0.5, 0.25])).toBeLessThan(FLOAT32);
  expect(relativeError(found.noiseVariance, [1, Math.exp(2)])).toBeLessThan(FLOAT32);
  expect(relativeError(found.totalVariance, [1.5, Math.exp(2) + 0.25])).toBeLessThan(FLOAT32);
});

it('says so when a rate is beyond float32', () => {
  const [head] = right(readNetwork(chain([2]), poisson())).heads as [Head];
  expect(() => reportLinearised(head, Float32Array.of(0, 80), Float32Array.of(1, 40), LINK)).toThrow(
    expect.objectContaining({ kind: 'NotFinite' }),
  );
});

const REGRESSIONS: ReadonlyArray<readonly [string, Likelihood, C: number]> = [
  ['gaussian', gaussian({ noiseVariance: [0.3, 2] }), 2],
  ['heteroscedastic', heteroscedastic(), 4],
  ['poisson', poisson(), 2],
];

describe.each(REGRESSIONS)('%s', (_, likelihood, C) => {
  // One dense layer: its outputs are Gaussian under every predictive, so that all three agree up to sampling.
  const fitted = async () => {
    const model = chain([C]);
    const data = dataFor(model, likelihood, 12);
    return {
      model,
      posterior: await posteriorFrom(await factorsOf(model, likelihood, data), { priorPrecision: 3 }),
      x: inputsFor(model, 3, 21)[0] as tf.Tensor,
    };
  };

  it('predicts the same moments by draws as in closed form', async () => {
    const { model, posterior, x } = await fitted();
    const moments = async (predictive: Predictive, inputs: tf.Tensor) => {
      const found = (await predictOne(model, posterior, predictive, inputs)) as Regression;
      return [found.mean, found.epistemicVariance, found.noiseVariance, found.totalVariance].map(numbersOf);
    };
    // Rows have noise of their own: 50 copies of 3 examples with 60 draws are 3000 draws of each.
    const copies = 50;
    const found = await moments(activationSampling({ samples: 60 }), tf.tile(x, [copies, 1]));
    const averaged = found.map((part) =>
      Array.from({ length: 6 }, (_, k) => part.filter((__, i) => i % 6 === k).reduce((sum, v) => sum + v / copies, 0)),
    );
    const expected = await moments(linearised(), x);
    // A variance of 3000 draws is off by √(2/3000) = 2.6 % at one standard error, that of a skewed rate by more: 15 % is four or so.
    for (const [i, part] of averaged.entries()) expect(relativeError(part, expected[i] as number[])).toBeLessThan(0.15);
  });

  it('leaves no tensor behind', async () => {
    const { model, posterior, x } = await fitted();
    await expectNoLeak(async () => {
      for (const predictive of [linearised(), activationSampling({ samples: 3 })])
        await predictOne(model, posterior, predictive, x);
    });
  });

  it('refuses a variance of one sample', async () => {
    const { model, posterior, x } = await fitted();
    await expect(predictOne(model, posterior, weightSampling({ samples: 1 }), x)).rejects.toMatchObject({
      kind: 'InvalidOption',
    });
  });
});
