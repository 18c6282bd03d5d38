/** A posterior under another noise variance is the posterior that is observed at that variance, whatever its curvature and damping. */
import * as tf from '@tensorflow/tfjs';
import {
  type Curvature,
  categorical,
  customFisher,
  type Damping,
  diagonal,
  ekfac,
  evidence,
  exactDamping,
  factoredDamping,
  full,
  gaussian,
  heteroscedastic,
  isotropic,
  kfac,
  kfra,
  type Likelihood,
  linearised,
  lowRank,
  monteCarlo,
  type Posterior,
  perOutput,
  perStep,
  truncated,
  variances,
  withNoiseVariance,
  withPrior,
} from 'tfjs-laplace';
import { matricesOf, pass } from '../support/factors.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { chain, functional, inputsFor } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { covarianceOf } from '../support/math/posteriors64.js';

let model: tf.LayersModel;
beforeAll(() => {
  model = chain([4, 3]);
});
const N = 9;

const observed = async (likelihood: Likelihood, curvature: Curvature, damping: Damping = exactDamping()): Promise<Posterior> =>
  posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, N), curvature), { priorPrecision: 0.3, damping });

const CURVATURES: ReadonlyArray<readonly [string, Curvature]> = [
  ['kfac', kfac()],
  ['kfac, truncated', kfac({ fisher: truncated({ tolerance: 0.4 }) })],
  ['kfac, Monte Carlo', kfac({ fisher: monteCarlo({ samples: 2, seed: 3 }) })],
  ['kfac, empirical', kfac({ fisher: 'empirical' })],
  ['the last layer', kfac({ layers: 'last' })],
  ['kfra', kfra()],
  ['ekfac', ekfac()],
  ['ekfac, empirical', ekfac({ fisher: 'empirical' })],
  ['diagonal', diagonal()],
  ['diagonal, empirical', diagonal({ fisher: 'empirical' })],
  ['full', full()],
  ['lowRank', lowRank({ rank: 2 })],
];

/** Every number that a posterior says of its weights: evidence at three priors, and the covariance where one can be written out. */
function numbersOf(posterior: Posterior): number[] {
  const parts = [0.01, 0.3, 20].map((tau) => evidence(right(withPrior(posterior, isotropic(tau)))).logDetRatio);
  const written = variances(posterior, posterior.layers[0] as never)._tag === 'Right';
  return [...parts, ...(written ? posterior.layers.flatMap((_, l) => covarianceOf(posterior, l).flat()) : [])];
}

describe.each([exactDamping(), factoredDamping()])('$_tag damping', (damping) => {
  it.each(CURVATURES)('%s: as observed at another variance for all outputs', async (_, curvature) => {
    const [first, expected] = [
      await observed(gaussian({ noiseVariance: 0.3 }), curvature, damping),
      await observed(gaussian({ noiseVariance: 2.1 }), curvature, damping),
    ];
    const found = right(withNoiseVariance(first, 2.1));
    expect(relativeError(numbersOf(found), numbersOf(expected))).toBeLessThan(FLOAT32);
    expect(relativeError(found.logLikelihood, expected.logLikelihood)).toBeLessThan(FLOAT32);
    expect(found.likelihood).toEqual(expected.likelihood);
    // And there is a difference to be seen.
    expect(relativeError(numbersOf(first), numbersOf(expected))).toBeGreaterThan(0.01);
  });
});

it.each(CURVATURES)('%s: as observed at a multiple of several variances', async (_, curvature) => {
  const [first, expected] = [
    await observed(gaussian({ noiseVariance: [0.2, 0.5, 1] }), curvature),
    await observed(gaussian({ noiseVariance: [0.6, 1.5, 3] }), curvature),
  ];
  const found = right(withNoiseVariance(first, [0.6, 1.5, 3]));
  expect(relativeError(numbersOf(found), numbersOf(expected))).toBeLessThan(FLOAT32);
  expect(relativeError(found.logLikelihood, expected.logLikelihood)).toBeLessThan(FLOAT32);
});

it('predicts as observed at that variance, noise included', async () => {
  const [x] = inputsFor(model, 5, 21) as [tf.Tensor];
  const first = await observed(gaussian({ noiseVariance: 0.3 }), kfac());
  const found = await predictOne(model, right(withNoiseVariance(first, 2.1)), linearised(), x);
  const expected = await predictOne(model, await observed(gaussian({ noiseVariance: 2.1 }), kfac()), linearised(), x);
  if (found._tag !== 'regression' || expected._tag !== 'regression') throw new Error('a regression was expected');
  expect(relativeError(found.totalVariance, expected.totalVariance)).toBeLessThan(FLOAT32);
  expect(relativeError(found.noiseVariance, expected.noiseVariance)).toBeLessThan(FLOAT32);
});

it('goes there and back, and stays as it is at its own variance', async () => {
  const posterior = await observed(gaussian({ noiseVariance: 0.3 }), kfac());
  const back = right(withNoiseVariance(right(withNoiseVariance(posterior, 7)), 0.3));
  expect(relativeError(numbersOf(back), numbersOf(posterior))).toBeLessThan(1e-12);
  expect(relativeError(back.logLikelihood, posterior.logLikelihood)).toBeLessThan(1e-12);
  const same = right(withNoiseVariance(posterior, 0.3));
  expect(same.layers).toEqual(posterior.layers);
});

it('is frozen, and leaves the posterior alone', async () => {
  const posterior = await observed(gaussian({ noiseVariance: 0.3 }), kfac());
  const before = structuredClone(posterior);
  const found = right(withNoiseVariance(posterior, 7));
  expect(posterior).toEqual(before);
  for (const value of [found, found.layers, found.likelihood, ...found.layers, ...found.layers.map(({ parts }) => parts)]) {
    expect(Object.isFrozen(value)).toBe(true);
  }
});

it('counts an example as often as its weight says, and a subset as the data set that it stands for', async () => {
  const x = inputsFor(model, N, 6)[0] as tf.Tensor;
  const data = {
    x,
    y: tf.tensor2d(take(3 * N, normalSource(4)), [N, 3]),
    weights: tf.tensor1d([1, 2, 3, 1, 2, 3, 1, 2, 0.5]),
  };
  const at = async (noiseVariance: number) =>
    posteriorFrom(await pass(model, gaussian({ noiseVariance }), data), { datasetSize: 40 });
  const expected = await at(2.1);
  const found = right(withNoiseVariance(await at(0.3), 2.1));
  expect(relativeError(numbersOf(found), numbersOf(expected))).toBeLessThan(FLOAT32);
  expect(relativeError(found.logLikelihood, expected.logLikelihood)).toBeLessThan(FLOAT32);
});

describe('steps of a sequence', () => {
  let steps: tf.LayersModel;
  beforeAll(() => {
    steps = functional([4, 2], (x) => tf.layers.dense({ units: 2 }).apply(x) as tf.SymbolicTensor);
  });
  const at = async (noiseVariance: number | number[], ignoreLabel?: number) => {
    const likelihood = perStep(gaussian({ noiseVariance }), ignoreLabel === undefined ? {} : { ignoreLabel });
    const data = { x: tf.tensor3d(take(48, normalSource(1)), [6, 4, 2]), y: tf.tensor3d(take(48, normalSource(2)), [6, 4, 2]) };
    return posteriorFrom(await pass(steps, likelihood, data), {});
  };

  it.each<[number | number[], number | number[]]>([
    [0.3, 2.1],
    [
      [0.2, 0.5],
      [0.6, 1.5],
    ],
  ])('%j to %j, if all count', async (first, second) => {
    const expected = await at(second);
    const found = right(withNoiseVariance(await at(first), second));
    expect(relativeError(numbersOf(found), numbersOf(expected))).toBeLessThan(FLOAT32);
    expect(relativeError(found.logLikelihood, expected.logLikelihood)).toBeLessThan(FLOAT32);
    expect(found.likelihood).toEqual(expected.likelihood);
  });

  it('are refused if some are left out, since nobody knows how many', async () => {
    expect(withNoiseVariance(await at(0.3, -1), 2)).toMatchObject({ left: { kind: 'InvalidInput', field: 'likelihood' } });
  });
});

describe('refusals', () => {
  it.each<[string, number | number[], number | number[]]>([
    ['one number for several that differ', [0.2, 0.5, 1], 0.5],
    ['other ratios', [0.2, 0.5, 1], [0.4, 1, 2.1]],
    ['several that differ for one number', 0.3, [0.3, 0.3, 0.6]],
  ])('%s', async (_, present, given) => {
    const posterior = await observed(gaussian({ noiseVariance: present }), kfac());
    const found = withNoiseVariance(posterior, given);
    expect(found).toMatchObject({ left: { kind: 'InvalidOption', field: 'noiseVariance' } });
    expect(found).toMatchObject({ left: { message: expect.stringContaining('Observe the data again') } });
  });

  it.each([[[0.4, 1]], [[2, 2, 2, 2]]])('another number of variances than of outputs: %s', async (given) => {
    for (const noiseVariance of [0.3, [0.2, 0.5, 1]]) {
      const posterior = await observed(gaussian({ noiseVariance }), kfac());
      expect(withNoiseVariance(posterior, given)).toMatchObject({
        left: { kind: 'InvalidOption', field: 'noiseVariance', message: expect.stringContaining('3 outputs') },
      });
    }
  });

  it.each<[number | number[], number | number[]]>([
    [[0.5, 0.5, 0.5], 2],
    [0.5, [2, 2, 2]],
  ])('but %j and %j mean the same for all', async (present, given) => {
    const posterior = await observed(gaussian({ noiseVariance: present }), kfac());
    const found = right(withNoiseVariance(posterior, given));
    const expected = await observed(gaussian({ noiseVariance: 2 }), kfac());
    expect(relativeError(numbersOf(found), numbersOf(expected))).toBeLessThan(FLOAT32);
    expect(found.likelihood).toEqual(gaussian({ noiseVariance: given }));
  });

  it('likelihoods without a noise variance', async () => {
    const even = chain([4, 2]);
    for (const likelihood of [categorical(), heteroscedastic()]) {
      const posterior = await posteriorFrom(await factorsOf(even, likelihood, dataFor(even, likelihood, N)), {});
      expect(withNoiseVariance(posterior, 2)).toMatchObject({ left: { kind: 'InvalidInput', found: likelihood._tag } });
    }
    const first = await observed(gaussian(), kfac());
    const several: Posterior = { ...first, likelihood: perOutput({ a: gaussian(), b: gaussian() }) };
    expect(withNoiseVariance(several, 2)).toMatchObject({ left: { kind: 'InvalidInput', found: 'perOutput' } });
  });

  it('a Fisher matrix of one’s own', async () => {
    const own = customFisher({ name: 'signs', columns: (f) => tf.expandDims(tf.sign(f), 0) as tf.Tensor3D, rowsPerExample: 1 });
    const posterior = await observed(gaussian(), kfac({ fisher: own }));
    expect(withNoiseVariance(posterior, 2)).toMatchObject({ left: { kind: 'InvalidInput', field: 'estimator.fisher' } });
  });
});

it('scales nothing but curvature of the outputs: vectors and input factors are the same arrays', async () => {
  const posterior = await observed(gaussian({ noiseVariance: 0.3 }), kfac());
  const found = right(withNoiseVariance(posterior, 7));
  found.layers.forEach((layer, l) => {
    const [own, before] = [matricesOf(layer), matricesOf(posterior.layers[l])];
    for (const part of ['inputValues', 'inputVectors', 'gradientVectors']) expect(own[part]?.data).toBe(before[part]?.data);
  });
});
