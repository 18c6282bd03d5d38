/** Temperature T multiplies the posterior's covariance, and nothing else; T = 0 is the trained network. */
import type * as tf from '@tensorflow/tfjs';
import {
  activationSampling,
  type Classification,
  categorical,
  gaussian,
  linearised,
  outputDistribution,
  type Posterior,
  type Predictive,
  type Regression,
  weightSampling,
} from 'tfjs-laplace';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { residentPosterior } from '../../src/predictive/device/device.js';
import { drawWeights } from '../../src/predictive/sampling/weightSampling.js';
import { key } from '../../src/random/key.js';
import { noiseOf } from '../../src/random/noise.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { softmax } from '../support/math/likelihoods64.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const fitted = async (likelihood: typeof categorical | typeof gaussian) => {
  const model = chain([4, 3]);
  const posterior = await posteriorFrom(await factorsOf(model, likelihood(), dataFor(model, likelihood(), 6)), {
    priorPrecision: 0.5,
  });
  const [x] = inputsFor(model, 4, 9) as [tf.Tensor];
  const outputs = (model.predict(x) as tf.Tensor2D).arraySync();
  return { model, posterior, x, outputs };
};

it('scales the covariance of the outputs linearly', async () => {
  const { model, posterior, x } = await fitted(categorical);
  const once = await outputDistribution(model, posterior, x);
  for (const temperature of [0, 0.25, 3]) {
    const { mean, covariance } = await outputDistribution(model, posterior, x, { temperature });
    expect(mean).toEqual(once.mean);
    expect(
      relativeError(
        covariance,
        once.covariance.map((row) => row.map((v) => temperature * v)),
      ),
    ).toBeLessThan(FLOAT32);
  }
});

it('scales the deviation of a drawn network as √T', async () => {
  const { model, posterior } = await fitted(categorical);
  const deviations = (temperature: number): number[] => deviationsAt(model, posterior, temperature);
  const once = deviations(1);
  // W = M + deviation is rounded to float32 where |M| is some 10 deviations.
  expect(
    relativeError(
      deviations(9),
      once.map((v) => 3 * v),
    ),
  ).toBeLessThan(10 * FLOAT32);
  expect(
    relativeError(
      deviations(0.25),
      once.map((v) => v / 2),
    ),
  ).toBeLessThan(10 * FLOAT32);
});

const PREDICTIVES: ReadonlyArray<readonly [string, (temperature: number) => Predictive]> = [
  ['linearised', (temperature) => linearised({ temperature })],
  ['activationSampling', (temperature) => activationSampling({ temperature, samples: 3 })],
  ['weightSampling', (temperature) => weightSampling({ temperature, samples: 3 })],
];

describe.each(PREDICTIVES)('%s at T = 0', (_, predictive) => {
  it('is the classifier itself: no epistemic uncertainty', async () => {
    const { model, posterior, x, outputs } = await fitted(categorical);
    const found = (await predictOne(model, posterior, predictive(0), x)) as Classification;
    expect(relativeError(found.probabilities, outputs.map(softmax))).toBeLessThan(FLOAT32);
    expect(relativeError(found.expectedEntropy, found.entropy)).toBeLessThan(FLOAT32);
    expect(Math.max(...found.mutualInformation)).toBeLessThan(FLOAT32);
    // And at T = 1 there is some: the same claims fail.
    const warm = (await predictOne(model, posterior, predictive(1), x)) as Classification;
    expect(Math.min(...warm.mutualInformation)).toBeGreaterThan(1e-3);
    expect(relativeError(warm.probabilities, outputs.map(softmax))).toBeGreaterThan(1e-3);
  });

  it('is the regression itself: all variance is noise', async () => {
    const { model, posterior, x, outputs } = await fitted(gaussian);
    const found = (await predictOne(model, posterior, predictive(0), x)) as Regression;
    expect(relativeError(found.mean, outputs)).toBeLessThan(FLOAT32);
    expect(Math.max(...found.epistemicVariance.flatMap((row) => Array.from(row)))).toBeLessThan(1e-12);
    expect(found.totalVariance).toEqual(found.noiseVariance);
  });
});

function deviationsAt(model: tf.LayersModel, posterior: Posterior, temperature: number): number[] {
  const network = right(withBlocks(right(readNetwork(model, posterior.likelihood)), 'all'));
  const device = residentPosterior(network, posterior, temperature);
  return [...drawWeights(device, noiseOf('independent', key(5), 0)).values()].flatMap((W, l) => {
    const mean = posterior.layers[l]?.mean.data as Float64Array;
    return Array.from(W.dataSync(), (v, i) => v - (mean[i] as number));
  });
}
