/** A link of one's own in whole predictions: what it is given, what becomes of its numbers, and what is refused. */
import * as tf from '@tensorflow/tfjs';
import {
  bernoulli,
  type Classification,
  categorical,
  customLikelihood,
  customLink,
  gaussian,
  type LinkedMoments,
  linearised,
  type OutputCovariance,
  type OutputLikelihood,
  outputDistribution,
} from 'tfjs-laplace';
import { labelsByQuadrature } from '../../src/predictive/links/logisticNormal.js';
import { drawnClasses } from '../../src/predictive/links/outputDraws.js';
import { factorsOf, fittedChain, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, numbersOf, relativeError } from '../support/math/numbers.js';

const DRAWS = { samples: 128, seed: 0 };
const again = customLink({
  name: 'again',
  classes: (mean, covariance) => drawnClasses(mean, covariance, DRAWS),
  labels: labelsByQuadrature,
});

const fixed = (moments: LinkedMoments) => customLink({ name: 'fixed', classes: () => moments, labels: () => moments });
const THREE: LinkedMoments = { probabilities: [0.5, 0.25, 0.25], standardDeviations: [0.1, 0.2, 0.3], expectedEntropy: 0.5 };

it.each([categorical(), bernoulli()])('predicts as the link that it repeats: $_tag', async (likelihood) => {
  const { model, posterior, x } = await fittedChain(likelihood);
  const [own, expected] = await Promise.all(
    [linearised({ link: again }), linearised({ link: 'monteCarlo' })].map((predictive) =>
      predictOne(model, posterior, predictive, x),
    ),
  );
  expect(own).toEqual(expected);
});

it('gives the numbers that it returns, and entropies of them', async () => {
  const { model, posterior, x } = await fittedChain(categorical());
  const found = (await predictOne(model, posterior, linearised({ link: fixed(THREE) }), x)) as Classification;
  expect(found.probabilities.map((p) => Array.from(p))).toEqual(Array(5).fill([0.5, 0.25, 0.25]));
  expect(relativeError(found.standardDeviations, Array(5).fill([0.1, 0.2, 0.3]))).toBeLessThan(FLOAT32);
  expect(relativeError(found.entropy, Array(5).fill(1.5 * Math.LN2))).toBeLessThan(FLOAT32);
  expect(relativeError(found.mutualInformation, Array(5).fill(1.5 * Math.LN2 - 0.5))).toBeLessThan(FLOAT32);
});

it.each([3, 65])('is given mean and covariance of each row, the full one up to 64 outputs: %d', async (C) => {
  const { model, posterior, x } = await fittedChain(categorical(), C);
  const given: Array<readonly [Float64Array, OutputCovariance]> = [];
  const link = customLink({
    name: 'spy',
    classes: (mean, covariance) => {
      given.push([mean, covariance]);
      return { probabilities: mean.map(() => 1 / C), standardDeviations: mean.map(() => 0), expectedEntropy: 0 };
    },
  });
  await predictOne(model, posterior, linearised({ link }), x);
  const { mean, covariance } = await outputDistribution(model, posterior, x);
  expect(given).toHaveLength(5);
  given.forEach(([own, { variance, full }], b) => {
    const expected = numbersOf(covariance[b] as Float32Array);
    expect(relativeError(own, mean[b] as Float32Array)).toBeLessThan(FLOAT32);
    expect(
      relativeError(
        variance,
        Array.from({ length: C }, (_, c) => expected[c * C + c] as number),
      ),
    ).toBeLessThan(FLOAT32);
    if (C > 64) expect(full).toBeUndefined();
    else expect(relativeError(full as Float64Array, expected)).toBeLessThan(FLOAT32);
  });
});

it.each<[string, LinkedMoments, object]>([
  ['too few probabilities', { ...THREE, probabilities: [0.5, 0.5] }, { kind: 'InvalidOption', found: '[2]' }],
  ['too many deviations', { ...THREE, standardDeviations: [0, 0, 0, 0] }, { kind: 'InvalidOption', found: '[4]' }],
  ['no probabilities', { ...THREE, probabilities: undefined as never }, { kind: 'InvalidOption', found: 'no numbers' }],
  ['a probability that is NaN', { ...THREE, probabilities: [0, Number.NaN, 1] }, { kind: 'NotFinite', found: 'NaN' }],
  ['an infinite entropy', { ...THREE, expectedEntropy: Number.POSITIVE_INFINITY }, { kind: 'NotFinite', found: 'Infinity' }],
])('refuses %s, of classes and of labels', async (_, moments, error) => {
  for (const [likelihood, field] of [
    [categorical(), 'classes'],
    [bernoulli(), 'labels'],
  ] as const) {
    const { model, posterior, x } = await fittedChain(likelihood);
    await expect(predictOne(model, posterior, linearised({ link: fixed(moments) }), x)).rejects.toMatchObject({
      ...error,
      field,
    });
  }
});

it('needs a function of labels for labels alone', async () => {
  const link = customLink({ name: 'classes alone', classes: () => THREE });
  const { model, posterior, x } = await fittedChain(bernoulli());
  await expect(predictOne(model, posterior, linearised({ link }), x)).rejects.toMatchObject({
    kind: 'InvalidOption',
    field: 'labels',
    found: 'no labels function',
  });
  const classes = await fittedChain(categorical());
  await expect(predictOne(classes.model, classes.posterior, linearised({ link }), classes.x)).resolves.toBeDefined();
});

it.each<[string, OutputLikelihood]>([
  ['gaussian', gaussian()],
  [
    'custom',
    customLikelihood({
      name: 'own',
      nll: (f, y) => tf.sum(tf.square(tf.sub(f, y)), 1),
      hessianRoot: (f) => tf.expandDims(tf.onesLike(f), 0),
      mean: (f) => f,
      variance: (f) => tf.onesLike(f),
    }),
  ],
])('is an error of a regression: %s', async (_, likelihood) => {
  const model = chain([4, 2]);
  const data = { x: inputsFor(model, 8, 4), y: tf.randomNormal([8, 2], 0, 1, 'float32', 3) };
  const posterior = await posteriorFrom(await factorsOf(model, likelihood, data), { priorPrecision: 2 });
  await expect(predictOne(model, posterior, linearised({ link: again }), data.x[0] as tf.Tensor)).rejects.toMatchObject({
    kind: 'InvalidOption',
    field: 'predictive.link',
    found: "'again'",
  });
});

it('refuses options that are none', () => {
  expect(() => customLink({ name: '', classes: () => THREE })).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', field: 'name' }),
  );
  expect(() => customLink({ name: 'none' } as never)).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', field: 'classes' }),
  );
  expect(() => linearised({ link: { _tag: 'customLink', name: 'none' } as never })).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', field: 'link.classes' }),
  );
});
