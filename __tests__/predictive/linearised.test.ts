/** The linearised predictive against J C Jᵀ: Jacobians by tf.grads, covariances by inverting Kronecker products written out. */
import * as tf from '@tensorflow/tfjs';
import {
  categorical,
  type Damping,
  exactDamping,
  type Factors,
  factoredDamping,
  gaussian,
  kfac,
  type Likelihood,
  outputDistribution,
  type Posterior,
} from 'tfjs-laplace';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { residentPosterior } from '../../src/predictive/device/device.js';
import { linearised } from '../../src/predictive/linearised/linearised.js';
import { covariances, exactFactors, outputCovariance } from '../support/math/curvature64.js';
import { denseLayers, type ExampleJacobian, jacobians } from '../support/math/jacobians.js';
import { dataFor, factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { chain, DENSE_NETWORKS, inputsFor, MIXED_NETWORKS } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const [N, B, tau] = [5, 3, 0.7] as const;
const DAMPINGS: ReadonlyArray<Damping> = [exactDamping(), factoredDamping()];

/** The layers of factors, in their order. */
const layersOf = (model: tf.LayersModel, { layout }: Factors): tf.layers.Layer[] =>
  layout.layers.map(({ name }) => denseLayers(model).find((l) => l.name === name) as tf.layers.Layer);

const inputs = (x: tf.Tensor[]) => (x.length === 1 ? (x[0] as tf.Tensor) : x);

async function compare(model: tf.LayersModel, likelihood: Likelihood, layers: 'all' | 'last' | string[] = 'all'): Promise<void> {
  const data = dataFor(model, likelihood, N);
  const factors = await factorsOf(model, likelihood, data, kfac({ layers }));
  const own = layersOf(model, factors);
  const x = inputsFor(model, B, 33);
  const [seen, unseen] = [jacobians(model, data.x, own), jacobians(model, x, own)];
  const expected = exactFactors(seen, likelihood);
  for (const damping of DAMPINGS) {
    const posterior = await posteriorFrom(factors, { priorPrecision: tau, damping });
    const { mean, covariance } = await outputDistribution(model, posterior, inputs(x));
    const inverted = covariances(expected, N, tau, damping._tag);
    expect(
      relativeError(
        mean,
        unseen.map((e) => e.outputs),
      ),
    ).toBeLessThan(FLOAT32);
    expect(
      relativeError(
        covariance,
        unseen.map((e: ExampleJacobian) => outputCovariance(e, inverted)),
      ),
    ).toBeLessThan(FLOAT32);
    expect(
      relativeError(
        variancesOf(model, posterior, x),
        covariance.map((c) => [c[0], c[3]] as number[]),
      ),
    ).toBeLessThan(FLOAT32);
  }
}

/** The other path: variances alone, when no covariance is asked for. */
const variancesOf = (model: tf.LayersModel, posterior: Posterior, x: tf.Tensor[]): number[] => {
  const network = right(
    withBlocks(
      right(readNetwork(model, posterior.likelihood)),
      posterior.layers.map((l) => l.name),
    ),
  );
  const device = residentPosterior(network, posterior, 1);
  const found = tf.tidy(() => Array.from(linearised(network, device, x, 'variance').covariance.dataSync()));
  device.dispose();
  return found;
};

it.each([...DENSE_NETWORKS, ...MIXED_NETWORKS])(
  'has the mean and covariance of the linearised network: $name',
  async ({ build }) => {
    await compare(build(), categorical());
  },
);

it('takes the noise of a regression into account through the posterior alone', async () => {
  await compare(chain([4, 3, 2]), gaussian({ noiseVariance: 0.3 }));
});

it.each<[string, (names: string[]) => 'last' | string[]]>([
  ['the last', () => 'last'],
  ['the first', (names) => [names[0] as string]],
  ['the ends', (names) => [names[2] as string, names[0] as string]],
])('covers some layers, the others at their MAP: %s', async (_, select) => {
  const model = chain([4, 3, 2]);
  await compare(model, categorical(), select(model.layers.map((l) => l.name)));
});

it('covers fewer layers than the factors do', async () => {
  const model = chain([4, 2]);
  const data = dataFor(model, categorical(), N);
  const x = inputsFor(model, B, 33);
  const [all, last] = await Promise.all(
    (['all', 'last'] as const).map((layers) => factorsOf(model, categorical(), data, kfac({ layers }))),
  );
  const narrow = await posteriorFrom(all as Factors, { layers: 'last' });
  const expected = await outputDistribution(model, await posteriorFrom(last as Factors, {}), inputs(x));
  const found = await outputDistribution(model, narrow, inputs(x));
  // Factors of the last layer alone are summed without a way back, in another order.
  expect(found.mean).toEqual(expected.mean);
  expect(relativeError(found.covariance, expected.covariance)).toBeLessThan(FLOAT32);
});
