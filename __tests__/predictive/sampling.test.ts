/** Sampled weights and sampled pre-activations against the posterior, closed forms, and each other: within standard errors. */
import * as tf from '@tensorflow/tfjs';
import { type Damping, exactDamping, factoredDamping, gaussian, outputDistribution, type Posterior } from 'tfjs-laplace';
import { forward } from '../../src/network/forward.js';
import { type Network, readNetwork, withBlocks } from '../../src/network/network.js';
import { type DevicePosterior, residentPosterior } from '../../src/predictive/device/device.js';
import { sampledActivations } from '../../src/predictive/sampling/activationSampling.js';
import { disposeWeights, drawWeights, sampledNetwork } from '../../src/predictive/sampling/weightSampling.js';
import { foldIn, type Key, key } from '../../src/random/key.js';
import type { Noise } from '../../src/random/noise.js';
import { outer } from '../support/math/dense64.js';
import { dataFor, factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { estimate, expectCentred, missedBy, STANDARD_ERRORS } from '../support/math/monteCarlo.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { inRows } from '../support/math/numbers.js';
import { covarianceOf } from '../support/math/posteriors64.js';
import { onWasmAlone } from '../support/wasmAlone.js';

onWasmAlone();

const DAMPINGS: ReadonlyArray<readonly [string, Damping]> = [
  ['exact', exactDamping()],
  ['factored', factoredDamping()],
];

/** Independent noise. */
const noise = (own: Key): Noise => ({ _tag: 'pseudoRandom', key: own, sign: 1 });

interface Bound {
  readonly model: tf.LayersModel;
  readonly network: Network;
  readonly posterior: Posterior;
  readonly device: DevicePosterior;
}

async function bound(model: tf.LayersModel, damping: Damping): Promise<Bound> {
  const factors = await factorsOf(model, gaussian(), dataFor(model, gaussian(), 6));
  const posterior = await posteriorFrom(factors, { priorPrecision: 2, damping });
  const network = right(withBlocks(right(readNetwork(model, gaussian())), 'all'));
  return { model, network, posterior, device: residentPosterior(network, posterior, 1) };
}

/** Outputs [S][C] of one example under S drawn networks, for each example of a batch. */
function byWeights({ network, device }: Bound, x: tf.Tensor, S: number): number[][][] {
  const draws = Array.from({ length: S }, (_, s) => {
    const draw = drawWeights(device, noise(foldIn(key(3), s)));
    const f = tf.tidy(() => forward(network, [x], sampledNetwork(draw)).outputs.arraySync());
    disposeWeights(draw);
    return f;
  });
  return Array.from({ length: x.shape[0] as number }, (_, b) => draws.map((f) => f[b] as number[]));
}

/** The same under sampled activations: an example repeated S times gets S noises. */
const byActivations = ({ network, device }: Bound, x: tf.Tensor, S: number): number[][][] =>
  Array.from({ length: x.shape[0] as number }, (_, b) =>
    tf.tidy(() =>
      forward(
        network,
        [tf.tile(tf.slice(x, b, 1), [S, 1])],
        sampledActivations(device, noise(foldIn(key(4), b))),
      ).outputs.arraySync(),
    ),
  );

/** f and the products f_c f_c': their means are the first two moments. */
const moments = (f: ReadonlyArray<number>): number[] => [...f, ...outer(f, f).flat()];

describe.each(DAMPINGS)('%s damping', (_, damping) => {
  it('draws weights with the mean and covariance of the posterior, layers independent', async () => {
    const { device, posterior } = await bound(chain([2, 2]), damping);
    const means = posterior.layers.flatMap(({ mean }) => Array.from(mean.data));
    const draws = Array.from({ length: 800 }, (_, s) => {
      const draw = drawWeights(device, noise(foldIn(key(8), s)));
      const deviations = [...draw.values()].flatMap((W) => Array.from(W.dataSync())).map((v, i) => v - (means[i] as number));
      disposeWeights(draw);
      return deviations;
    });
    const [low, top] = [covarianceOf(posterior, 0), covarianceOf(posterior, 1)];
    const split = low.length;
    const expected = means.map((_, i) =>
      means.map(
        (_, j) => (i < split && j < split ? low[i]?.[j] : i >= split && j >= split ? top[i - split]?.[j - split] : 0) as number,
      ),
    );
    expectCentred(draws, expected);
  });

  it.each([true, false])(
    'has the closed form J C Jᵀ for a network of one layer, by weights and by activations; bias: %s',
    async (useBias) => {
      const own = await bound(chain([2], { useBias }), damping);
      const [x] = inputsFor(own.model, 3, 9) as [tf.Tensor];
      const { mean, covariance } = await outputDistribution(own.model, own.posterior, x);
      for (const sampled of [byWeights(own, x, 600), byActivations(own, x, 4000)]) {
        sampled.forEach((draws, b) => {
          const centred = draws.map((f) => f.map((v, c) => v - (mean[b]?.[c] as number)));
          const expected = [...(centred[0]?.map(() => 0) ?? []), ...Array.from(covariance[b] as Float32Array)];
          expect(missedBy(centred.map(moments), expected)).toBeLessThan(STANDARD_ERRORS);
        });
      }
    },
  );
});

it('has one predictive of each example, by weights and by activations, through layers that are not linear', async () => {
  const own = await bound(chain([3, 3, 2], { activation: 'softplus' }), exactDamping());
  const [x] = inputsFor(own.model, 3, 9) as [tf.Tensor];
  const [weights, activations] = [byWeights(own, x, 1000), byActivations(own, x, 6000)];
  weights.forEach((draws, b) => {
    const [first, second] = [draws.map(moments), (activations[b] as number[][]).map(moments)];
    first[0]?.forEach((_, q) => {
      const [a, c] = [estimate(first.map((m) => m[q] as number)), estimate(second.map((m) => m[q] as number))];
      expect(Math.abs(a.mean - c.mean) / Math.hypot(a.standardError, c.standardError)).toBeLessThan(STANDARD_ERRORS);
    });
  });
});

it('gives examples of a batch noise of their own, and layers too', async () => {
  const { network, device } = await bound(chain([3, 3]), exactDamping());
  const x = tf.ones([200, 3]);
  const taps: number[][][] = [];
  const rule = sampledActivations(device, noise(key(1)));
  forward(network, [x], (op, a) => {
    const z = rule(op, taps.length === 0 ? a : tf.ones([200, 3]));
    taps.push(z.arraySync() as number[][]);
    return z;
  });
  const [low, top] = taps as [number[][], number[][]];
  const centred = (z: number[][]): number[][] => {
    const means = (z[0] as number[]).map((_, j) => z.reduce((sum, row) => sum + (row[j] as number), 0) / z.length);
    return z.map((row) => row.map((v, j) => v - (means[j] as number)));
  };
  const pairs = centred(low).map((row, b) => outer(row, centred(top)[b] as number[]).flat());
  expect(missedBy(pairs, pairs[0]?.map(() => 0) ?? [])).toBeLessThan(STANDARD_ERRORS);
  expect(new Set(low.map((row) => row[0])).size).toBe(200);
});

it('draws by key: the same network for the same key, another for another', async () => {
  const { device } = await bound(chain([2, 2]), exactDamping());
  const draw = (seed: number) => [...drawWeights(device, noise(key(seed))).values()].flatMap((W) => Array.from(W.dataSync()));
  expect(draw(1)).toEqual(draw(1));
  expect(relativeDifference(draw(1), draw(2))).toBeGreaterThan(0.1);
  expect(inRows(draw(1), 4)).not.toEqual(inRows(draw(2), 4));
});

const relativeDifference = (a: number[], b: number[]): number => Math.max(...a.map((v, i) => Math.abs(v - (b[i] as number))));
