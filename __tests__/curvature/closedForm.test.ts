/** The last layer alone: its factors are Λ's own sums, with no row sent back and no memory beyond what they take. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  bernoulli,
  type Curvature,
  categorical,
  coverage,
  customLikelihood,
  diagonal,
  ekfac,
  type Factors,
  gaussian,
  heteroscedastic,
  kfac,
  kfra,
  type Likelihood,
  merge,
  observe,
  poisson,
} from 'tfjs-laplace';
import { peakOf } from '../../bench/memory.js';
import { fisherOf } from '../../src/curvature/codec.js';
import { expectSameFactors } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { dataFor, factorsOf, posteriorFrom, right } from '../support/math/laplace.js';
import { chain, dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

const N = 11;

/** `behind` puts a reshape behind the last layer: its z is then not f itself, and its rows are sent back. The architecture is another. */
const build = (behind: boolean): tf.LayersModel =>
  withWeights(
    functional([3], (x) => {
      const f = on(dense(4, { name: 'top' }), on(dense(5, { activation: 'tanh', name: 'below' }), x));
      return behind ? on(tf.layers.reshape({ targetShape: [4] }), f) : f;
    }),
    7,
  );

const LIKELIHOODS: ReadonlyArray<Likelihood> = [
  categorical(),
  categorical({ classWeights: [1, 2, 0.5, 3] }),
  bernoulli(),
  gaussian({ noiseVariance: [0.3, 1, 2, 4] }),
  heteroscedastic(),
  poisson(),
];

describe.each(LIKELIHOODS)('$_tag', (likelihood) => {
  it.each<[string, Curvature]>([
    ['exact', kfac({ layers: 'last' })],
    ['truncated, of which nothing is cut', kfac({ fisher: { _tag: 'truncated', tolerance: 0.2 }, layers: 'last' })],
    ['diagonal', diagonal({ layers: 'last' })],
  ])('%s: the sums of columns that are sent back', async (_, curvature) => {
    const data = dataFor(build(false), likelihood, N);
    const found = await factorsOf(build(false), likelihood, data, curvature);
    const whole = fisherOf(curvature)?._tag === 'truncated' ? kfac({ layers: ['top'] }) : curvature;
    const expected = await factorsOf(build(true), likelihood, data, whole);
    expect([found.rows, expected.rows]).toEqual([0, 4 * N]);
    expectSameFactors(
      { ...found, layout: expected.layout },
      // Weights of classes are counted in float32.
      { ...expected, count: found.count },
      FLOAT32,
    );
  });

  it('ekfac: the same moments along the same basis', async () => {
    const data = dataFor(build(false), likelihood, N);
    const run = (model: tf.LayersModel, basis: Factors) =>
      posteriorFrom(basis, {}).then((posterior) =>
        lastValueFrom(
          from(batches({ x: data.x[0] as tf.Tensor, y: data.y }, 4)).pipe(
            observe(model, likelihood),
            accumulateFactors(ekfac({ layers: ['top'] }), { basis: posterior }),
          ),
        ),
      );
    const factors = await factorsOf(build(false), likelihood, data, kfac({ layers: ['top'] }));
    const [found, expected] = [await run(build(false), factors), await run(build(true), factors)];
    expect([found.rows, expected.rows]).toEqual([0, 4 * N]);
    expectSameFactors({ ...found, layout: expected.layout }, expected, FLOAT32);
  });
});

it('counts weighted examples as often as they weigh', async () => {
  const data = dataFor(build(false), categorical(), N);
  const [x, weights] = [data.x[0] as tf.Tensor, tf.tensor1d(Array.from({ length: N }, (_, i) => i % 3))];
  for (const curvature of [kfac({ layers: ['top'] }), diagonal({ layers: ['top'] })]) {
    const [found, expected] = await Promise.all(
      [build(false), build(true)].map((model) =>
        lastValueFrom(
          from(batches({ x, y: data.y, weights }, 4)).pipe(observe(model, categorical()), accumulateFactors(curvature)),
        ),
      ),
    );
    const { layout } = expected as Factors;
    expectSameFactors({ ...(found as Factors), layout }, expected as Factors, FLOAT32);
  }
});

it('merges with sums of rows: the layout is the same', async () => {
  const model = build(false);
  const [a, b] = [dataFor(model, categorical(), N), dataFor(model, categorical(), N, 50)];
  const both = right(
    merge(
      await factorsOf(model, categorical(), a, kfac({ layers: 'last' })),
      await factorsOf(model, categorical(), b, kfac({ layers: 'last' })),
    ),
  );
  const joint = { x: [tf.concat([a.x[0] as tf.Tensor, b.x[0] as tf.Tensor])], y: tf.concat([a.y, b.y]) };
  expectSameFactors(both, await factorsOf(model, categorical(), joint, kfac({ layers: 'last' }), 7), FLOAT32);
});

it('sends rows back where there is no closed form: layers below, drawn labels, training labels, a likelihood of its own', async () => {
  const own = customLikelihood({
    name: 'squares',
    nll: (f, y) => tf.sum(tf.squaredDifference(f, y), 1) as tf.Tensor1D,
    hessianRoot: (f) => tf.mul(Math.SQRT2, tf.tile(tf.reshape(tf.eye(4), [4, 1, 4]), [1, f.shape[0], 1])) as tf.Tensor3D,
  });
  const model = build(false);
  const rows = async (likelihood: Likelihood, curvature: Curvature): Promise<number> =>
    (await factorsOf(model, likelihood, dataFor(model, gaussian(), N), curvature)).rows / N;
  expect(await rows(gaussian(), kfac())).toBe(4);
  expect(await rows(gaussian(), kfac({ fisher: { _tag: 'monteCarlo', samples: 3 }, layers: 'last' }))).toBe(3);
  expect(await rows(gaussian(), kfac({ fisher: 'empirical', layers: 'last' }))).toBe(1);
  expect(await rows(own, kfac({ layers: 'last' }))).toBe(4);
});

it('kfra of the last layer is its exact factor', async () => {
  const data = dataFor(build(false), categorical(), N);
  const [found, expected] = [
    await factorsOf(build(false), categorical(), data, kfra({ layers: 'last' })),
    await factorsOf(build(false), categorical(), data, kfac({ layers: 'last' })),
  ];
  expect(found.layers).toEqual(expected.layers);
});

it('is positive semi-definite for a classifier that is sure of everything', async () => {
  const model = build(false);
  const [kernel, bias] = model.getLayer('top').getWeights() as [tf.Tensor, tf.Tensor];
  // p of the likeliest class is 1 up to rounding.
  model.getLayer('top').setWeights([tf.mul(kernel, 0), tf.add(tf.mul(bias, 0), [25, 0, 3, 1])]);
  const factors = await factorsOf(model, categorical(), dataFor(model, categorical(), N), kfac({ layers: 'last' }));
  const { gradient } = kronecker(factors.layers[0]);
  const p = [25, 0, 3, 1].map((v) => Math.exp(v - 25));
  // Row 0: −p_0 p_c, and their sum on the diagonal.
  expect(
    relativeError(
      gradient.data.slice(1, 4),
      p.slice(1).map((v) => -N * v),
    ),
  ).toBeLessThan(FLOAT32);
  expect((await posteriorFrom(factors, {})).layers).toHaveLength(1);
});

describe('1,000 classes, 512 features, batches of 128', () => {
  const [C, features, size] = [1000, 512, 128];

  it('takes no more device memory than its factors do', async () => {
    const model = withWeights(
      functional([features], (x) => on(dense(C, { name: 'top' }), x)),
      2,
    );
    const x = inputsFor(model, 3 * size, 4)[0] as tf.Tensor;
    const y = tf.tensor1d(Array.from({ length: 3 * size }, (_, i) => i % C));
    const curvature = kfac({ layers: 'last' });
    const found = right(coverage(model, { likelihood: categorical(), curvature }));
    expect(found.bytes).toBe(8 * ((features + 1) ** 2 + C ** 2));
    const { bytes } = await peakOf(() =>
      lastValueFrom(from(batches({ x, y }, size)).pipe(observe(model, categorical()), accumulateFactors(curvature))),
    );
    // Beside inputs and outputs of one batch. The columns of its Λ alone would be C² · 128 numbers, 512 MB.
    expect(bytes - 4 * size * (features + C)).toBeLessThan(found.bytes);
  });
});

describe('coverage', () => {
  const found = (curvature: Curvature, model = build(false)) => right(coverage(model, { likelihood: categorical(), curvature }));

  it('sends no rows back, and counts the product of one row of probabilities an example', () => {
    const { rowsPerExample, layers } = found(kfac({ layers: 'last' }));
    expect(rowsPerExample).toBe(0);
    // The layer's own product; A; p pᵀ.
    expect(layers[0]?.operations).toBe(2 * (6 * 4 + 6 * 6 + 4 * 4));
    expect(found(kfac({ layers: 'last' }), build(true)).rowsPerExample).toBe(4);
    expect(found(kfac()).rowsPerExample).toBe(4);
    expect(found(kfac({ fisher: 'empirical', layers: 'last' })).rowsPerExample).toBe(1);
  });

  it('warns where the columns of one example are too many', () => {
    const wide = chain([2, 4200]);
    const warned = (curvature: Curvature) => found(curvature, wide).warnings.filter((w) => w.includes('columns'));
    expect(warned(kfac())).toEqual([expect.stringContaining("layers: 'last'")]);
    expect(warned(kfra())).toHaveLength(1);
    expect(warned(diagonal())).toHaveLength(1);
    expect(warned(kfac({ fisher: 'empirical' }))).toEqual([]);
    expect(warned(kfac({ layers: 'last' }))).toEqual([]);
    expect(found(kfac(), chain([2, 4096])).warnings.filter((w) => w.includes('columns'))).toEqual([]);
  });
});

it('leaves no tensor behind', async () => {
  const model = build(false);
  const data = dataFor(model, categorical(), N);
  await expectNoLeak(async () => {
    for (const curvature of [kfac({ layers: 'last' }), diagonal({ layers: 'last' }), ekfac({ layers: 'last' })]) {
      await factorsOf(model, categorical(), data, curvature);
    }
  });
});
