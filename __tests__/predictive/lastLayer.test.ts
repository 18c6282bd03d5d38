/** The last layer alone: one forward pass gives what stacked gradients give, and takes no memory that grows with B·C·m. */
import * as tf from '@tensorflow/tfjs';
import {
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  exactDamping,
  factoredDamping,
  full,
  gaussian,
  kfac,
  type Likelihood,
  linearised as linearisedPredictive,
  outputDistribution,
  type Posterior,
} from 'tfjs-laplace';
import { peakOf } from '../../bench/memory.js';
import { type Network, readNetwork, withBlocks } from '../../src/network/network.js';
import { residentPosterior } from '../../src/predictive/device/device.js';
import { lastOf } from '../../src/predictive/linearised/lastLayer.js';
import { linearised } from '../../src/predictive/linearised/linearised.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { posteriorOfSize } from '../support/math/posteriors64.js';
import { expectNoLeak } from '../support/memory.js';

const N = 9;
const B = 5;

/** A tanh layer below a last one; `behind` puts a layer that does nothing behind it, so that z is not f any more. */
const build = (useBias: boolean, behind: boolean): tf.LayersModel =>
  withWeights(
    functional([3], (x) => {
      const f = on(dense(4, { name: 'top', useBias }), on(dense(5, { activation: 'tanh', name: 'below' }), x));
      return behind ? on(tf.layers.reshape({ targetShape: [4] }), f) : f;
    }),
    7,
  );

const networkOf = (model: tf.LayersModel, likelihood: Likelihood, layers: 'all' | 'last' | string[] = ['top']): Network =>
  right(withBlocks(right(readNetwork(model, likelihood)), layers));

/** Covariances and variances of f as the device computes them; whether it went the short way. */
function outputsOf(network: Network, posterior: Posterior, x: tf.Tensor[]) {
  const device = residentPosterior(network, posterior, 0.7);
  const short = lastOf(network, device) !== undefined;
  const [covariance, variance] = (['covariance', 'variance'] as const).map((want) =>
    tf.tidy(() => Array.from(linearised(network, device, x, want).covariance.dataSync())),
  ) as [number[], number[]];
  device.dispose();
  return { short, covariance, variance };
}

const STRUCTURES: ReadonlyArray<Curvature> = [
  kfac({ layers: 'last' }),
  ekfac({ layers: 'last' }),
  diagonal({ layers: 'last' }),
  kfac({ fisher: 'empirical', layers: 'last' }),
];

describe.each([true, false])('bias: %s', (useBias) => {
  it.each(STRUCTURES)('$_tag: the numbers of stacked gradients', async (curvature) => {
    for (const likelihood of [categorical(), gaussian()]) {
      const [model, other] = [build(useBias, false), build(useBias, true)];
      const factors = await factorsOf(model, likelihood, dataFor(model, likelihood, N), curvature);
      const x = inputsFor(model, B, 3);
      for (const damping of [exactDamping(), factoredDamping()]) {
        const posterior = await posteriorFrom(factors, { priorPrecision: 0.3, damping });
        const found = outputsOf(networkOf(model, likelihood), posterior, x);
        const expected = outputsOf(networkOf(other, likelihood), posterior, x);
        expect([found.short, expected.short]).toEqual([true, false]);
        expect(relativeError(found.covariance, expected.covariance)).toBeLessThan(FLOAT32);
        expect(relativeError(found.variance, expected.variance)).toBeLessThan(FLOAT32);
        const diagonalOf = found.variance.map((_, i) => found.covariance[Math.floor(i / 4) * 16 + (i % 4) * 5] as number);
        expect(relativeError(found.variance, diagonalOf)).toBeLessThan(FLOAT32);
      }
    }
  });
});

it('goes the general way where another layer is covered, where z is not f, and for full', async () => {
  const model = build(true, false);
  const data = dataFor(model, categorical(), N);
  const x = inputsFor(model, B, 3);
  for (const [curvature, layers] of [
    [kfac(), 'all'],
    [kfac({ layers: ['below'] }), ['below']],
    [full({ layers: 'last' }), 'last'],
  ] as const) {
    const posterior = await posteriorFrom(await factorsOf(model, categorical(), data, curvature), {});
    expect(outputsOf(networkOf(model, categorical(), layers as 'all'), posterior, x).short).toBe(false);
  }
});

describe('1,000 classes, 512 features, 128 examples', () => {
  const [C, n, size] = [1000, 513, 128];
  const model = () =>
    withWeights(
      functional([n - 1], (x) => on(dense(C, { name: 'top' }), x)),
      2,
    );

  it('adds no more memory than its factors take', async () => {
    const network = networkOf(model(), categorical());
    const device = residentPosterior(network, posteriorOfSize('top', n, C), 1);
    const x = inputsFor(network.model, size, 4);
    const { bytes } = await peakOf(() => tf.tidy(() => linearised(network, device, x, 'variance').covariance.dataSync()));
    device.dispose();
    const factors = 4 * (n * n + C * C);
    // A few [B, C] and [B, n], and some rows of U_G²; one value of all stacked rows would be C times [B, C], 512 MB.
    expect(bytes).toBeLessThan(factors);
  });

  it('cuts covariances into chunks of examples', async () => {
    const network = networkOf(model(), categorical());
    const device = residentPosterior(network, posteriorOfSize('top', n, C), 1);
    const x = inputsFor(network.model, 9, 4);
    const { bytes } = await peakOf(() =>
      tf.tidy(() => {
        const { covariance } = linearised(network, device, x, 'covariance');
        const variances = linearised(network, device, x, 'variance').covariance;
        const diagonals = tf.sum(tf.mul(covariance, tf.eye(C)), 2);
        expect(relativeError(diagonals, variances)).toBeLessThan(FLOAT32);
      }),
    );
    device.dispose();
    // The result twice while its chunks are joined, and once more for the comparison here; never with the chunks' own products.
    expect(bytes).toBeLessThan(4 * C * C * (2 * 9 + 6));
  });
});

it('leaves no tensor behind', async () => {
  const model = build(true, false);
  const data = dataFor(model, categorical(), N);
  const posterior = await posteriorFrom(await factorsOf(model, categorical(), data, kfac({ layers: 'last' })), {});
  const x = inputsFor(model, B, 3);
  await expectNoLeak(async () => {
    await outputDistribution(model, posterior, x[0] as tf.Tensor);
    await predictOne(model, posterior, linearisedPredictive(), x[0] as tf.Tensor);
  });
});
