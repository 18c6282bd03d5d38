/** A likelihood of one's own: it does what the library's does that has the same formulas, and says where it does not fit. */
import * as tf from '@tensorflow/tfjs';
import { type CustomLikelihoodOptions, customLikelihood, evidence, kfac, linearised, poisson } from 'tfjs-laplace';
import { likelihoodOps } from '../../src/likelihood/index.js';
import { key } from '../../src/random/key.js';
import { kronecker } from '../support/kronecker.js';
import { factorsOf, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { estimate, STANDARD_ERRORS } from '../support/math/monteCarlo.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

/** Poisson once more, from its formulas, for counts up to 3. */
const LOG_FACTORIALS = [0, 0, Math.log(2), Math.log(6)];
const PARTS: CustomLikelihoodOptions = {
  name: 'counts',
  nll: (f, y) => {
    const constants = tf.gather(tf.tensor1d(LOG_FACTORIALS), tf.cast(y, 'int32'));
    return tf.sum(tf.add(tf.sub(tf.exp(f), tf.mul(y, f)), constants), 1);
  },
  hessianRoot: (f) => {
    const C = f.shape[1];
    return tf.mul(tf.reshape(tf.eye(C), [C, 1, C]), tf.expandDims(tf.exp(tf.mul(0.5, f)), 0));
  },
  mean: (f) => tf.exp(f),
  variance: (f) => tf.exp(f),
};
const counts = customLikelihood(PARTS);

const data = (model: tf.LayersModel) => ({
  x: inputsFor(model, 8, 4),
  y: tf.tensor2d([0, 1, 2, 3, 0, 2, 1, 1, 0, 0, 3, 1, 2, 2, 1, 0], [8, 2]),
});

it.each(['exact', 'empirical'] as const)('gives the factors and the evidence of the same likelihood: %s', async (fisher) => {
  const model = chain([4, 2]);
  const [found, expected] = await Promise.all(
    [counts, poisson()].map(async (likelihood) => {
      const factors = await factorsOf(model, likelihood, data(model), kfac({ fisher }));
      return { factors, evidence: evidence(await posteriorFrom(factors, { priorPrecision: 2 })) };
    }),
  );
  expect(found?.evidence.logMarginalLikelihood).toBeCloseTo(expected?.evidence.logMarginalLikelihood as number, 3);
  for (const [l, layer] of (expected?.factors.layers ?? []).entries()) {
    const [own, other] = [kronecker(found?.factors.layers[l]), kronecker(layer)];
    expect(relativeError(own.input, other.input)).toBeLessThan(FLOAT32);
    expect(relativeError(own.gradient, other.gradient)).toBeLessThan(FLOAT32);
  }
});

it('predicts by draws of the outputs what the same likelihood predicts in closed form', async () => {
  const model = chain([4, 2]);
  const factors = await factorsOf(model, counts, data(model));
  const x = inputsFor(model, 5, 21)[0] as tf.Tensor;
  const [found, expected] = await Promise.all(
    [counts, poisson()].map(async (likelihood) => {
      const own = { ...factors, layout: { ...factors.layout, likelihood } };
      const prediction = await predictOne(model, await posteriorFrom(own, { priorPrecision: 20 }), linearised(), x);
      if (prediction._tag !== 'regression') throw new Error('expected a regression');
      return prediction;
    }),
  );
  // 64 antithetic pairs: means are off by about v / (2 √128) of the rate, variances by √(2/128) = 12 % once.
  expect(relativeError(found?.mean ?? 0, expected?.mean ?? 1)).toBeLessThan(0.05);
  expect(relativeError(found?.noiseVariance ?? 0, expected?.noiseVariance ?? 1)).toBeLessThan(0.05);
  expect(relativeError(found?.epistemicVariance ?? 0, expected?.epistemicVariance ?? 1)).toBeLessThan(0.5);
});

it('leaves no tensor behind', async () => {
  const model = chain([4, 2]);
  const { x, y } = data(model);
  await expectNoLeak(async () => {
    const posterior = await posteriorFrom(await factorsOf(model, counts, { x, y }), { priorPrecision: 2 });
    await predictOne(model, posterior, linearised(), x[0] as tf.Tensor);
  });
});

describe('operations', () => {
  const inputs = () => ({
    f: tf.tensor2d([
      [0.5, -1],
      [0, 0.2],
    ]),
    y: tf.tensor2d([
      [1, 0],
      [3, 2],
    ]),
  });

  it('have the gradient that is given, or that of autodiff', () => {
    const { f, y } = inputs();
    const expected = tf.sub(tf.exp(f), y);
    expect(relativeError(likelihoodOps(counts, 2).gradient(f, y), expected)).toBeLessThan(FLOAT32);
    const own = customLikelihood({ ...PARTS, gradient: (outputs) => tf.fill(outputs.shape, 7) });
    expect(relativeError(likelihoodOps(own, 2).gradient(f, y), tf.fill([2, 2], 7))).toBe(0);
  });

  it('draw labels by the function that is given, with a seed of the key', () => {
    const { f, y } = inputs();
    const own = customLikelihood({
      ...PARTS,
      // Binomial of 2: mean 1 and variance ½, so that g = e^f − y has second moment (e^f − 1)² + ½.
      sample: (outputs, seed) =>
        tf.sum(tf.cast(tf.less(tf.randomUniform([2, ...outputs.shape], 0, 1, 'float32', seed), 0.5), 'float32'), 0),
    });
    const ops = likelihoodOps(own, 2);
    const [draws, again, other] = [3, 3, 4].map((seed) => ops.sampledGradient(f, key(seed), 2000, y));
    expect(draws?.shape).toEqual([2000, 2, 2]);
    expect(draws?.dataSync()).toEqual(again?.dataSync());
    expect(draws?.dataSync()).not.toEqual(other?.dataSync());
    const first = Array.from(tf.slice(draws as tf.Tensor3D, [0, 0, 0], [2000, 1, 1]).dataSync());
    const { mean, standardError } = estimate(first.map((g) => g * g));
    expect(Math.abs(mean - ((Math.exp(0.5) - 1) ** 2 + 0.5))).toBeLessThan(STANDARD_ERRORS * standardError);
  });

  it('cannot draw without it', async () => {
    const { f, y } = inputs();
    const model = chain([4, 2]);
    await expect(factorsOf(model, counts, data(model), kfac({ fisher: 'monteCarlo' }))).rejects.toMatchObject({
      kind: 'InvalidOption',
      field: 'sample',
    });
    expect(() => likelihoodOps(counts, 2).sampledGradient(f, key(1), 1, y)).toThrow(expect.objectContaining({ field: 'sample' }));
  });

  it.each<[string, Partial<CustomLikelihoodOptions>, () => unknown]>([
    ['nll', { nll: () => tf.tensor1d([1, 2, 3]) }, () => {}],
    ['nll', { nll: (outputs) => outputs as unknown as tf.Tensor1D }, () => {}],
    ['hessianRoot', { hessianRoot: (outputs) => outputs as unknown as tf.Tensor3D }, () => {}],
    ['gradient', { gradient: () => tf.tensor2d([[1]]) }, () => {}],
    ['sample', { sample: () => tf.tensor2d([[1]]) }, () => {}],
    ['mean', { mean: () => tf.tensor2d([[1]]) }, () => {}],
    ['variance', { variance: () => tf.tensor2d([[1]]) }, () => {}],
  ])('refuse a %s of another shape', (field, parts) => {
    const { f, y } = inputs();
    const ops = likelihoodOps(customLikelihood({ ...PARTS, ...parts }), 2);
    const all = () => [
      ops.logLikelihoods(f, y),
      ops.hessianRoot(f, y),
      ops.gradient(f, y),
      ops.mean(f),
      ops.variance?.(f),
      'sample' in parts && ops.sampledGradient(f, key(1), 2, y),
    ];
    expect(all).toThrow(expect.objectContaining({ kind: 'InvalidOption', field }));
  });

  it('make labels [B] a column, so that they do not broadcast against outputs', () => {
    expect(likelihoodOps(counts, 1).targets(tf.tensor1d([1, 2, 3]), 1).shape).toEqual([3, 1]);
  });
});

it.each(['mean', 'variance'] as const)('predicts nothing without a %s', async (field) => {
  const { [field]: _, ...rest } = PARTS;
  const model = chain([4, 2]);
  const posterior = await posteriorFrom(await factorsOf(model, customLikelihood(rest), data(model)), { priorPrecision: 2 });
  await expect(predictOne(model, posterior, linearised(), inputsFor(model, 2, 1)[0] as tf.Tensor)).rejects.toMatchObject({
    kind: 'InvalidOption',
    field,
    message: expect.stringContaining("'counts'"),
  });
});
