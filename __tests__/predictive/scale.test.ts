/** The scale s of the linearised predictive multiplies the mean of the outputs, f ~ N(s f*, Σ), for classes and labels alone. */
import type * as tf from '@tensorflow/tfjs';
import {
  bernoulli,
  type Classification,
  categorical,
  gaussian,
  heteroscedastic,
  kfac,
  linearised,
  outputDistribution,
  poisson,
  type Several,
} from 'tfjs-laplace';
import { linkRule } from '../../src/predictive/links/index.js';
import { outputCovariance } from '../../src/predictive/links/outputCovariance.js';
import { pass } from '../support/factors.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { fittedChain, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { sigmoid, softmax } from '../support/math/likelihoods64.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const SCALE = 2.5;

describe.each(['probit', 'multiclassProbit', 'monteCarlo', 'laplaceBridge'] as const)('%s', (link) => {
  it.each([categorical(), bernoulli()])('links s f* with the covariance as it is: $_tag', async (likelihood) => {
    const { model, posterior, x } = await fittedChain(likelihood);
    const { mean, covariance } = await outputDistribution(model, posterior, x);
    const found = (await predictOne(model, posterior, linearised({ link, scale: SCALE }), x)) as Classification;
    const options = { samples: 128, seed: 0 };
    const expected = mean.map((row, b) => {
      const f = Float64Array.from(row, (v) => SCALE * v);
      const own = outputCovariance(covariance[b] as Float32Array, f.length);
      const rule = linkRule(link);
      return likelihood._tag === 'categorical' ? rule.classes(f, own, options) : rule.labels(f, own.variance, options);
    });
    // The outputs of two passes differ by float32 roundings, which the scale multiplies.
    const close = SCALE * FLOAT32;
    expect(
      relativeError(
        found.probabilities,
        expected.map((e) => e.probabilities),
      ),
    ).toBeLessThan(close);
    expect(
      relativeError(
        found.standardDeviations,
        expected.map((e) => e.standardDeviations),
      ),
    ).toBeLessThan(10 * close);
  });
});

it('is the inverse temperature of a softmax at temperature 0', async () => {
  const { model, posterior, x } = await fittedChain(categorical());
  const found = (await predictOne(model, posterior, linearised({ temperature: 0, scale: SCALE }), x)) as Classification;
  const own = ((model.predict(x) as tf.Tensor2D).arraySync() as number[][]).map((f) => softmax(f.map((v) => SCALE * v)));
  expect(relativeError(found.probabilities, own)).toBeLessThan(SCALE * FLOAT32);
});

it('is the probit formula of MacKay with s before it', async () => {
  const { model, posterior, x } = await fittedChain(bernoulli());
  const { mean, covariance } = await outputDistribution(model, posterior, x);
  const found = (await predictOne(model, posterior, linearised({ scale: SCALE }), x)) as Classification;
  const C = 3;
  const expected = mean.map((row, b) =>
    Array.from(row, (v, c) => {
      const variance = (covariance[b] as Float32Array)[c * C + c] as number;
      return sigmoid((SCALE * v) / Math.sqrt(1 + (Math.PI / 8) * variance));
    }),
  );
  expect(relativeError(found.probabilities, expected)).toBeLessThan(SCALE * FLOAT32);
});

it.each([gaussian(), heteroscedastic(), poisson()])('of a regression is an error: $_tag', async (likelihood) => {
  const { model, posterior, x } = await fittedChain(likelihood, 2);
  const refused = predictOne(model, posterior, linearised({ scale: SCALE }), x);
  await expect(refused).rejects.toMatchObject({ kind: 'InvalidOption', field: 'predictive.scale', found: '2.5' });
  await expect(predictOne(model, posterior, linearised({ scale: 1 }), x)).resolves.toMatchObject({ _tag: 'regression' });
});

it('is that of the outputs with classes, beside a regression', async () => {
  const { model } = twoHeads();
  const { x, y } = headData(model, 6);
  const posterior = await posteriorFrom(await pass(model, BOTH, { x, y }, kfac()), { priorPrecision: 0.5 });
  const [own, plain] = (await Promise.all(
    [linearised({ scale: SCALE }), linearised()].map((predictive) => predictOne(model, posterior, predictive, x[0] as tf.Tensor)),
  )) as [Several, Several];
  expect(own.outputs.angle).toEqual(plain.outputs.angle);
  expect(own.outputs.digit).not.toEqual(plain.outputs.digit);
});

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('%d is refused', (scale) => {
  expect(() => linearised({ scale })).toThrow(expect.objectContaining({ kind: 'InvalidOption', field: 'scale' }));
});
