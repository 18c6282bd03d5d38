/** The outputs under several posteriors at once are those under each of them, for every kind of layer and structure. */
import * as tf from '@tensorflow/tfjs';
import {
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  factoredDamping,
  full,
  kfac,
  lowRank,
  type Posterior,
  withDamping,
  withPrior,
} from 'tfjs-laplace';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { formsUnder, posteriorOnDemand, residentPosterior } from '../../src/predictive/device/device.js';
import { keptJacobians, linearised, linearisedUnder, underForms } from '../../src/predictive/linearised/linearised.js';
import { dataFor, factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';
import { ZOO, zooInputs } from '../support/zoo.js';

const PRIORS = [0.3, 40, 2000];

const candidatesOf = (posterior: Posterior): readonly [Posterior, ...Posterior[]] => [
  posterior,
  ...PRIORS.map((precision) => right(withPrior(posterior, precision))),
  withDamping(posterior, factoredDamping()),
];

/**
 * Both are the same sums in float32, but a product with several columns at once adds in another order. The differences found are below
 * 1e-6 of the largest entry.
 */
const ROUNDING = 1e-5;

async function expectTheSame(
  model: tf.LayersModel,
  posterior: Posterior,
  x: ReadonlyArray<tf.Tensor>,
  upload = residentPosterior,
): Promise<void> {
  const names = posterior.layers.flatMap(({ members }) => members);
  const network = right(withBlocks(right(readNetwork(model, posterior.likelihood)), names));
  const posteriors = candidatesOf(posterior);
  const base = upload(network, posterior, 1);
  const forms = formsUnder(base, posteriors, 1.5);
  // All outputs at once, in parts, and with few weight gradients at a time.
  for (const [want, chunks] of [
    ['covariance', {}],
    ['variance', {}],
    ['covariance', { outputs: 2, numbers: 64 }],
    ['variance', { outputs: 1, numbers: 64 }],
  ] as const) {
    const found = tf.tidy(() => {
      const { mean, covariances } = linearisedUnder(network, base, forms, x, want, chunks);
      return { mean: mean.arraySync(), covariances: tf.unstack(covariances).map((c) => Array.from(c.dataSync())) };
    });
    const jacobians = keptJacobians(network, base, x, want, 64);
    // A batch keeps its place among others.
    const fewer = x.map((t) => tf.slice(t, 0, 2));
    const others = keptJacobians(network, base, fewer, want, 64);
    const kept = tf.tidy(() => {
      const [small, own] = underForms([others, jacobians], forms) as [tf.Tensor, tf.Tensor];
      expect(small.shape.slice(0, 2)).toEqual([posteriors.length, 2]);
      return tf.unstack(own).map((c) => Array.from(c.dataSync()));
    });
    tf.dispose(fewer);
    others.dispose();
    expect(jacobians.mean.arraySync()).toEqual(found.mean);
    jacobians.dispose();
    posteriors.forEach((own, k) => {
      const device = residentPosterior(network, own, 1.5);
      const alone = tf.tidy(() => {
        const { mean, covariance } = linearised(network, device, x, want, chunks);
        return { mean: mean.arraySync(), covariance: Array.from(covariance.dataSync()) };
      });
      device.dispose();
      expect(found.mean).toEqual(alone.mean);
      expect(relativeError(found.covariances[k] as number[], alone.covariance)).toBeLessThan(ROUNDING);
      expect(relativeError(kept[k] as number[], alone.covariance)).toBeLessThan(ROUNDING);
    });
  }
  base.dispose();
}

it.each(ZOO)('$name', async (kind) => {
  const model = kind.build();
  const posterior = await posteriorFrom(
    await factorsOf(model, categorical(), { ...dataFor(model, categorical(), 6), x: zooInputs(kind, model, 6, 1) }),
    { priorPrecision: 3 },
  );
  await expectTheSame(model, posterior, zooInputs(kind, model, 4, 2));
});

it.each<[string, Curvature]>([
  ['kfac', kfac()],
  ['ekfac', ekfac()],
  ['diagonal', diagonal()],
  ['full', full()],
  ['the last layer', kfac({ layers: 'last' })],
  ['lowRank', lowRank({ rank: 1 })],
])('%s', async (_, curvature) => {
  const model = chain([4, 3, 3]);
  const posterior = await posteriorFrom(await factorsOf(model, categorical(), dataFor(model, categorical(), 8), curvature), {});
  const x = dataFor(model, categorical(), 5, 9).x;
  for (const upload of [residentPosterior, posteriorOnDemand]) {
    await expectNoLeak(() => expectTheSame(model, posterior, x, upload));
  }
});
