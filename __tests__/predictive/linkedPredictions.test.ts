/** Links in whole predictions: what each must hold of any network, and which outputs have a use for it. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, take, toArray } from 'rxjs';
import {
  bernoulli,
  type Classification,
  categorical,
  customLikelihood,
  gaussian,
  heteroscedastic,
  inputBatches,
  kfac,
  linearised,
  outputDistribution,
  type Prediction,
  perStep,
  poisson,
  predict,
  type Several,
} from 'tfjs-laplace';
import { outputCovariance } from '../../src/predictive/links/outputCovariance.js';
import { drawnClasses } from '../../src/predictive/links/outputDraws.js';
import { pass } from '../support/factors.js';
import { ANGLE, BOTH, headData, twoHeads } from '../support/heads.js';
import { factorsOf, fittedChain, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { sigmoid, softmax } from '../support/math/likelihoods64.js';
import { chain, dense, inputsFor, withWeights } from '../support/math/networks.js';
import { FLOAT32, numbersOf, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

const LINKS = ['probit', 'multiclassProbit', 'monteCarlo', 'laplaceBridge'] as const;

const FIELDS = ['probabilities', 'standardDeviations', 'entropy', 'expectedEntropy', 'mutualInformation'] as const;

describe.each(LINKS)('%s', (link) => {
  it.each([categorical(), bernoulli()])('is the network’s own at temperature 0, with no spread: $_tag', async (likelihood) => {
    const { model, posterior, x } = await fittedChain(likelihood);
    const found = (await predictOne(model, posterior, linearised({ link, temperature: 0 }), x)) as Classification;
    const own = ((model.predict(x) as tf.Tensor2D).arraySync() as number[][]).map((f) =>
      likelihood._tag === 'categorical' ? softmax(f) : f.map(sigmoid),
    );
    expect(relativeError(found.probabilities, own)).toBeLessThan(FLOAT32);
    expect(Math.max(...numbersOf(found.standardDeviations), ...found.mutualInformation)).toBeLessThan(1e-6);
  });

  it.each([categorical(), bernoulli()])('gives numbers that belong together: $_tag', async (likelihood) => {
    const { model, posterior, x } = await fittedChain(likelihood);
    const found = (await predictOne(model, posterior, linearised({ link }), x)) as Classification;
    found.probabilities.forEach((p, b) => {
      if (likelihood._tag === 'categorical') expect(Math.abs(numbersOf(p).reduce((s, v) => s + v, 0) - 1)).toBeLessThan(1e-6);
      const gap = (found.entropy[b] as number) - (found.expectedEntropy[b] as number);
      // Where mean and spread are of one distribution nothing is cut off at 0.
      if (link === 'monteCarlo' || link === 'laplaceBridge') expect(gap).toBeGreaterThan(0);
      expect(found.mutualInformation[b]).toBeCloseTo(Math.max(0, gap), 6);
      found.standardDeviations[b]?.forEach((d, c) => {
        // No distribution on [0, 1] with this mean is wider. The probits' mean is off by up to 0.1.
        const mean = p[c] as number;
        expect(d).toBeGreaterThan(0);
        expect(d).toBeLessThan(Math.sqrt(mean * (1 - mean)) + 0.1);
      });
    });
  });

  it('does not see how a stream is cut, and frees what it takes, left half-way too', async () => {
    const { model, posterior, x } = await fittedChain(categorical());
    const run = (size: number, batches = Number.POSITIVE_INFINITY): Promise<Prediction[]> =>
      lastValueFrom(from(inputBatches(x, size)).pipe(predict(model, posterior, linearised({ link })), take(batches), toArray()));
    const [whole, cut] = (await Promise.all([run(5), run(2)])) as [Classification[], Classification[]];
    for (const field of FIELDS) {
      const all = (parts: Classification[]) => parts.flatMap((part) => numbersOf(part[field] as never));
      expect(relativeError(all(cut), all(whole))).toBeLessThan(FLOAT32);
    }
    await expectNoLeak(() => run(2));
    await expectNoLeak(() => run(2, 1));
  });

  it('takes variances alone of more than 64 classes', async () => {
    const { model, posterior, x } = await fittedChain(categorical(), 65);
    const found = (await predictOne(model, posterior, linearised({ link }), x)) as Classification;
    for (const p of found.probabilities) expect(Math.abs(numbersOf(p).reduce((s, v) => s + v, 0) - 1)).toBeLessThan(1e-5);
    expect(Math.min(...numbersOf(found.standardDeviations))).toBeGreaterThan(0);
  });

  it.each([gaussian(), heteroscedastic(), poisson()])(
    'of a regression is an error, but for the default: $_tag',
    async (likelihood) => {
      const { model, posterior, x } = await fittedChain(likelihood, 2);
      const found = predictOne(model, posterior, linearised({ link }), x);
      if (link === 'probit') await expect(found).resolves.toMatchObject({ _tag: 'regression' });
      else await expect(found).rejects.toMatchObject({ kind: 'InvalidOption', field: 'predictive.link' });
    },
  );

  it('is that of the outputs with classes, beside a regression', async () => {
    const { model } = twoHeads();
    const { x, y } = headData(model, 6);
    const posterior = await posteriorFrom(await pass(model, BOTH, { x, y }, kfac()), { priorPrecision: 0.5 });
    const [own, plain] = (await Promise.all(
      [linearised({ link }), linearised()].map((predictive) => predictOne(model, posterior, predictive, x[0] as tf.Tensor)),
    )) as [Several, Several];
    expect(own.outputs.angle).toEqual(plain.outputs.angle);
    if (link === 'probit') expect(own).toEqual(plain);
    else expect(own.outputs.digit).not.toEqual(plain.outputs.digit);
  });

  it('of steps of a sequence knows the covariance of each step', async () => {
    const model = withWeights(tf.sequential({ layers: [dense(4, { inputShape: [3, 2], activation: 'tanh' }), dense(3)] }), 4);
    const likelihood = perStep(categorical());
    const x = inputsFor(model, 4, 2);
    const y = tf.oneHot(tf.tensor2d([0, 1, 2, 2, 1, 0, 1, 1, 0, 2, 0, 1], [4, 3], 'int32'), 3);
    const posterior = await posteriorFrom(await factorsOf(model, likelihood, { x, y }), { priorPrecision: 0.3 });
    const found = (await predictOne(model, posterior, linearised({ link }), x[0] as tf.Tensor)) as Classification;
    const { mean, covariance } = await outputDistribution(model, posterior, x[0] as tf.Tensor);
    expect(found.probabilities).toHaveLength(12);
    if (link !== 'monteCarlo') return;
    found.probabilities.forEach((p, row) => {
      const [b, s] = [Math.floor(row / 3), row % 3];
      const all = covariance[b] as Float32Array;
      const own = Float64Array.from({ length: 9 }, (_, i) => all[(3 * s + Math.floor(i / 3)) * 9 + 3 * s + (i % 3)] as number);
      const f = Float64Array.from((mean[b] as Float32Array).subarray(3 * s, 3 * s + 3));
      const expected = drawnClasses(f, outputCovariance(own, 3), { samples: 128, seed: 0 });
      expect(relativeError(p, expected.probabilities)).toBeLessThan(FLOAT32);
      expect(relativeError(found.standardDeviations[row] as Float32Array, expected.standardDeviations)).toBeLessThan(
        10 * FLOAT32,
      );
    });
  });
});

it('takes other draws for another seed, the same for the same, and comes nearer with more of them', async () => {
  const { model, posterior, x } = await fittedChain(categorical());
  const of = async (draws: number, seed: number) =>
    (await predictOne(model, posterior, linearised({ link: 'monteCarlo', samples: draws, seed }), x)) as Classification;
  const [one, again, other] = await Promise.all([of(64, 1), of(64, 1), of(64, 2)]);
  expect(again).toEqual(one);
  expect(other.probabilities).not.toEqual(one.probabilities);
  const exact = (await of(40_000, 3)).probabilities;
  const error = async (draws: number) => {
    const all = await Promise.all([4, 5, 6, 7, 8].map((seed) => of(draws, seed)));
    return Math.sqrt(all.reduce((sum, { probabilities }) => sum + relativeError(probabilities, exact) ** 2, 0));
  };
  // Sixteen times the draws, a quarter of the error.
  expect((await error(1024)) / (await error(64))).toBeLessThan(0.5);
});

describe('a likelihood of one’s own', () => {
  const own = customLikelihood({
    name: 'scaled',
    nll: (f, y) => tf.sum(tf.square(tf.sub(f, y)), 1) as tf.Tensor1D,
    hessianRoot: (f) => {
      const [B, C] = f.shape;
      return tf.mul(Math.SQRT2, tf.tile(tf.reshape(tf.eye(C), [C, 1, C]), [1, B, 1])) as tf.Tensor3D;
    },
    mean: (f) => tf.exp(f),
    variance: (f) => tf.onesLike(f),
  });

  it.each(LINKS)('is averaged over draws, or has no use for the link: %s', async (link) => {
    const model = chain([4, 2]);
    const data = { x: inputsFor(model, 8, 4), y: tf.randomNormal([8, 2], 0, 1, 'float32', 3) };
    const posterior = await posteriorFrom(await factorsOf(model, own, data), { priorPrecision: 2 });
    const found = predictOne(model, posterior, linearised({ link, samples: 10 }), data.x[0] as tf.Tensor);
    if (link === 'probit' || link === 'monteCarlo')
      await expect(found).resolves.toMatchObject({ _tag: 'regression', support: 'real' });
    else await expect(found).rejects.toMatchObject({ kind: 'InvalidOption', field: 'predictive.link' });
  });
});

it('says of what a prediction is: counts, or numbers', async () => {
  for (const [likelihood, support] of [
    [poisson(), 'counts'],
    [ANGLE, 'real'],
  ] as const) {
    const { model, posterior, x } = await fittedChain(likelihood, 2);
    expect(await predictOne(model, posterior, linearised(), x)).toMatchObject({ support });
  }
});
