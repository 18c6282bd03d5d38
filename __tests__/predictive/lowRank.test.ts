/** Predictions and draws of a last layer of diagonal plus low rank, against its covariance written out; and 10,000 classes. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, take, toArray } from 'rxjs';
import {
  activationSampling,
  bernoulli,
  type Classification,
  categorical,
  type Damping,
  evidence,
  exactDamping,
  factoredDamping,
  jointDistribution,
  kfac,
  type Likelihood,
  linearised as linearisedPredictive,
  lowRank,
  type Matrix,
  mapSamples,
  outputDistribution,
  type Posterior,
  type PosteriorLayer,
  predict,
  sampleFunctions,
  sampleModels,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { peakOf } from '../../bench/memory.js';
import { type Network, readNetwork, withBlocks } from '../../src/network/network.js';
import { posteriorOnDemand, residentPosterior } from '../../src/predictive/device/device.js';
import { linearised } from '../../src/predictive/linearised/linearised.js';
import { disposeWeights, drawWeights } from '../../src/predictive/sampling/weightSampling.js';
import { key } from '../../src/random/key.js';
import { noiseOf } from '../../src/random/noise.js';
import { expectRejection, rejection } from '../support/errors.js';
import { product, transposed } from '../support/math/dense64.js';
import { jacobians } from '../support/math/jacobians.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { lowRankCovariance } from '../support/math/lowRank64.js';
import { expectCentred } from '../support/math/monteCarlo.js';
import { chain, dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

const [C, N, B, T] = [16, 40, 3, 0.7];
const DAMPINGS: ReadonlyArray<Damping> = [exactDamping(), factoredDamping()];

const topOf = (model: tf.LayersModel): tf.layers.Layer => model.layers.at(-1) as tf.layers.Layer;

const posteriorOf = async (
  model: tf.LayersModel,
  rank: number,
  damping = exactDamping(),
  likelihood: Likelihood = categorical(),
) =>
  posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, N), lowRank({ rank })), {
    damping,
    priorPrecision: 0.4,
  });

const networkOf = (model: tf.LayersModel, likelihood: Likelihood = categorical()): Network =>
  right(withBlocks(right(readNetwork(model, likelihood)), 'last'));

/**
 * Of a precision whose condition is about 1e3 here; 1 − leverage cancels where a class hangs on the kept directions alone, by up to the
 * number of outputs.
 */
const TOLERANCE = 4 * FLOAT32;

describe.each(DAMPINGS)('$_tag damping', (damping) => {
  it('has the covariance and the variances of its matrix', async () => {
    const model = chain([5, C]);
    const posterior = await posteriorOf(model, 3, damping);
    const [x] = inputsFor(model, B, 33) as [tf.Tensor];
    const weights = lowRankCovariance(posterior);
    const expected = jacobians(model, [x], [topOf(model)]).map(({ layers }) => {
      const J = layers[0]?.rows as number[][];
      return product(J, weights, transposed(J)).map((row) => row.map((v) => T * v));
    });
    const { covariance } = await outputDistribution(model, posterior, x, { temperature: T });
    expect(relativeError(covariance, expected)).toBeLessThan(TOLERANCE);
    const network = networkOf(model);
    const device = residentPosterior(network, posterior, T);
    const variances = tf.tidy(() => Array.from(linearised(network, device, [x], 'variance').covariance.dataSync()));
    device.dispose();
    expect(
      relativeError(
        variances,
        expected.map((own) => own.map((row, c) => row[c] as number)),
      ),
    ).toBeLessThan(TOLERANCE);
  });

  it('predicts as kfac does where nothing is left out', async () => {
    const model = chain([5, C]);
    const factors = await factorsOf(model, categorical(), dataFor(model, categorical(), N), kfac({ layers: 'last' }));
    const exact = await posteriorFrom(factors, { damping, priorPrecision: 0.4 });
    const own = await posteriorOf(model, C, damping);
    const [x] = inputsFor(model, B, 33) as [tf.Tensor];
    const [found, expected] = [await outputDistribution(model, own, x), await outputDistribution(model, exact, x)];
    // Where G has no more than its low rank, that of C − 1, all of a variance is what cancels.
    expect(relativeError(found.covariance, expected.covariance)).toBeLessThan(2 * C * FLOAT32);
    const [p, q] = await Promise.all([own, exact].map((posterior) => predictOne(model, posterior, linearisedPredictive(), x)));
    expect(relativeError((p as Classification).probabilities, (q as Classification).probabilities)).toBeLessThan(FLOAT32);
  });

  it('draws weights with its mean and covariance', async () => {
    const model = chain([2, 3]);
    const posterior = await posteriorOf(model, 1, damping);
    const mean = Array.from((posterior.layers[0] as PosteriorLayer).mean.data);
    const device = residentPosterior(networkOf(model), posterior, T);
    const draws = Array.from({ length: 1500 }, (_, s) => {
      const draw = drawWeights(device, noiseOf('independent', key(8), s));
      const deviation = [...draw.values()].flatMap((W) => Array.from(W.dataSync())).map((v, i) => v - (mean[i] as number));
      disposeWeights(draw);
      return deviation;
    });
    device.dispose();
    expectCentred(
      draws,
      lowRankCovariance(posterior).map((row) => row.map((v) => T * v)),
    );
  });
});

it('has closed forms of independent outputs as any other layer, and those of kfac', async () => {
  const model = chain([5, 4]);
  const [x] = inputsFor(model, B, 33) as [tf.Tensor];
  const own = await posteriorOf(model, 2, exactDamping(), bernoulli());
  const factors = await factorsOf(model, bernoulli(), dataFor(model, bernoulli(), N), kfac({ layers: 'last' }));
  const exact = await posteriorFrom(factors, { priorPrecision: 0.4 });
  const [found, expected] = [await outputDistribution(model, own, x), await outputDistribution(model, exact, x)];
  expect(relativeError(found.covariance, expected.covariance)).toBeLessThan(FLOAT32);
  expect(evidence(own).logDetRatio).toBeCloseTo(evidence(exact).logDetRatio, 4);
  for (const predictive of [activationSampling({ samples: 3 }), weightSampling({ samples: 3 })]) {
    const [a, b] = await Promise.all([own, exact].map((posterior) => predictOne(model, posterior, predictive, x)));
    expect(relativeError((a as Classification).probabilities, (b as Classification).probabilities)).toBeLessThan(FLOAT32);
  }
});

it('serves every predictive, and draws the same for the same seed whatever the signs of eigenvectors', async () => {
  const model = chain([5, C]);
  const posterior = await posteriorOf(model, 3);
  const [layer] = posterior.layers;
  if (layer?.structure !== 'lowRank') throw new Error('expected lowRank');
  const { parts } = layer;
  const flipped = ({ rows, cols, data }: Matrix): Matrix => ({ rows, cols, data: data.map((v, i) => (i % cols === 1 ? -v : v)) });
  const other: Posterior = {
    ...posterior,
    layers: [
      {
        ...layer,
        parts: { ...parts, inputVectors: flipped(parts.inputVectors), rankVectors: flipped(parts.rankVectors as Matrix) },
      },
    ],
  };
  const [x] = inputsFor(model, B, 33) as [tf.Tensor];
  for (const predictive of [weightSampling({ samples: 4 }), activationSampling({ samples: 4 }), linearisedPredictive()]) {
    const [p, q] = await Promise.all([posterior, other].map((own) => predictOne(model, own, predictive, x)));
    const { probabilities } = p as Classification;
    for (const row of probabilities) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(relativeError(probabilities, (q as Classification).probabilities)).toBeLessThan(FLOAT32);
  }
  const members = await lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: 2, seed: 3 }), toArray()));
  const kernels = members.map((member) => Array.from((topOf(member).getWeights()[0] as tf.Tensor).dataSync()));
  expect(relativeError(kernels[0] as number[], kernels[1] as number[])).toBeGreaterThan(0.1);
  for (const member of members) member.dispose();
  const [zero] = await lastValueFrom(
    of(posterior).pipe(
      mapSamples(model, { samples: 1, temperature: 0 }, (own) => Array.from((own.predict(x) as tf.Tensor).dataSync())),
      toArray(),
    ),
  );
  expect(relativeError(zero as number[], model.predict(x) as tf.Tensor)).toBeLessThan(FLOAT32);
});

it('is refused joint covariances and functions, which those of independent outputs have', async () => {
  const model = chain([5, C]);
  const [x] = inputsFor(model, B, 33) as [tf.Tensor];
  const posterior = await posteriorOf(model, 3);
  const layer = topOf(model).name;
  await expectRejection(jointDistribution(model, posterior, x), 'UnsupportedLayer', { layer });
  await expectRejection(lastValueFrom(of(x).pipe(sampleFunctions(model, posterior, { samples: 2 }))), 'UnsupportedLayer', {
    layer,
  });
  const independent = await posteriorOf(model, 3, exactDamping(), bernoulli());
  const { covariance } = await jointDistribution(model, independent, x);
  const blocks = await outputDistribution(model, independent, x);
  const own = covariance.slice(0, C).map((row) => Array.from(row).slice(0, C));
  expect(relativeError(own, blocks.covariance[0] as Float32Array)).toBeLessThan(FLOAT32);
});

it('is an error for whoever wants its directions', async () => {
  const model = chain([5, C]);
  const posterior = await posteriorOf(model, 3);
  const network = networkOf(model);
  const device = residentPosterior(network, posterior, 1);
  const [layer] = device.layers;
  const directions = () => layer?.lend((form) => void form.directions());
  expect(directions).toThrow(expect.objectContaining({ kind: 'UnsupportedLayer', layer: topOf(model).name }));
  // A network that does not end with the layer goes the general way, which asks for them.
  const elsewhere = { ...network, blocks: [...network.blocks, ...network.blocks] };
  const [x] = inputsFor(model, B, 33) as [tf.Tensor];
  expect(() => tf.tidy(() => linearised(elsewhere, device, [x], 'variance').covariance)).toThrow(
    expect.objectContaining({ kind: 'UnsupportedLayer' }),
  );
  device.dispose();
});

it('frees its table of variances when nobody listens any more', async () => {
  const model = chain([5, 70]);
  const posterior = await posteriorOf(model, 3);
  const [x] = inputsFor(model, B, 33) as [tf.Tensor];
  await expectNoLeak(() => lastValueFrom(from([x, x, x]).pipe(predict(model, posterior), take(1))));
});

it('is uploaded anew for each piece of a batch where the budget does not hold it, and predicts the same', async () => {
  const model = chain([5, C]);
  const posterior = await posteriorOf(model, 3);
  const [x] = inputsFor(model, B, 33) as [tf.Tensor];
  const network = networkOf(model);
  const [kept, onDemand] = [residentPosterior(network, posterior, T), posteriorOnDemand(network, posterior, T)];
  for (const want of ['variance', 'covariance'] as const) {
    const [found, expected] = [onDemand, kept].map((device) =>
      tf.tidy(() => Array.from(linearised(network, device, [x], want).covariance.dataSync())),
    );
    expect(found).toEqual(expected);
  }
  await expectNoLeak(() => tf.tidy(() => void linearised(network, onDemand, [x], 'variance')));
  kept.dispose();
});

it('leaves no tensor behind', async () => {
  const model = chain([5, C]);
  const posterior = await posteriorOf(model, 3);
  const [x] = inputsFor(model, B, 33) as [tf.Tensor];
  await expectNoLeak(async () => {
    await outputDistribution(model, posterior, x);
    for (const predictive of [linearisedPredictive(), weightSampling({ samples: 2 }), activationSampling({ samples: 2 })]) {
      await predictOne(model, posterior, predictive, x);
    }
    const members = await lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: 1 }), toArray()));
    for (const member of members) member.dispose();
    // An error on the way.
    const wrong = tf.ones([2, 9]);
    await rejection(outputDistribution(model, posterior, wrong));
    wrong.dispose();
  });
});

describe('10,000 classes, 64 features', () => {
  const [classes, features, size] = [10_000, 64, 32];
  let model: tf.LayersModel;
  let posterior: Posterior;
  let x: tf.Tensor;
  beforeAll(async () => {
    model = withWeights(
      functional([features], (t) => on(dense(classes, { name: 'top' }), t)),
      2,
    );
    x = inputsFor(model, 2 * size, 4)[0] as tf.Tensor;
    const y = tf.tensor1d(Array.from({ length: 2 * size }, (_, i) => 150 * i));
    const factors = await factorsOf(model, categorical(), { x: [x], y }, lowRank({ rank: 16 }), size);
    posterior = await lastValueFrom(from([factors]).pipe(toPosterior({ priorPrecision: 1 })));
  });

  it('has variances that no [C, C] goes into', async () => {
    const network = networkOf(model);
    const batch = tf.slice(x, [0, 0], [size, features]);
    let variances: Float32Array = new Float32Array(0);
    const { bytes } = await peakOf(() => {
      const device = residentPosterior(network, posterior, 1);
      variances = tf.tidy(() => linearised(network, device, [batch], 'variance').covariance.dataSync()) as Float32Array;
      device.dispose();
    });
    expect(variances).toHaveLength(size * classes);
    expect(variances.every((v) => v > 0)).toBe(true);
    // [n, C], a few [B, C], [C, r], and three chunks of 32 MiB: [C, C] would be 400 MB.
    expect(bytes).toBeLessThan(4 * classes * (features + 1 + 4 * size + 4 * 16) + 3 * 2 ** 25);
    const a = [...Array.from(tf.slice(x, [0, 0], [1, features]).dataSync()), 1];
    // Of the prior alone; data only make it narrower.
    const prior = a.reduce((sum, v) => sum + v * v, 0);
    for (const v of variances.subarray(0, classes)) expect(v).toBeLessThan(prior * (1 + FLOAT32));
  });

  it('is drawn, weighed by evidence, and refused a covariance', async () => {
    const { logDetRatio } = evidence(posterior);
    expect(logDetRatio).toBeGreaterThan(0);
    const prediction = await predictOne(model, posterior, weightSampling({ samples: 2 }), tf.slice(x, [0, 0], [4, features]));
    expect((prediction as Classification).probabilities[0]).toHaveLength(classes);
    const many = await expectRejection(outputDistribution(model, posterior, x), 'InvalidInput', { field: 'x' });
    expect(many.message).toContain('at most 2 examples');
    const one = tf.slice(x, [0, 0], [1, features]);
    await expectRejection(outputDistribution(model, posterior, one), 'InvalidOption', { field: 'memoryBudget' });
    const unbounded = outputDistribution(model, posterior, one, { memoryBudget: Number.POSITIVE_INFINITY });
    const error = await expectRejection(unbounded, 'InvalidInput', { layer: 'top' });
    expect(error.message).toContain('predict');
  });
});
