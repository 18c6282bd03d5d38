/** `lowRank` of a last layer: what is summed, that shards add up, what its sums say of G, and what it refuses. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import {
  bernoulli,
  categorical,
  coverage,
  coverageTable,
  customLikelihood,
  type Factors,
  finalEpochs,
  gaussian,
  heteroscedastic,
  keptTrace,
  kfac,
  type LayerSums,
  type Likelihood,
  lowRank,
  merge,
  type PosteriorLayer,
  poisson,
  type Sketch,
} from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { LARGEST_FACTOR } from '../../src/limits.js';
import { expectRejection } from '../support/errors.js';
import { expectSameFactors, matricesOf } from '../support/factors.js';
import { dataFor, factorsOf, kindOf, posteriorFrom, right } from '../support/math/laplace.js';
import { hessian } from '../support/math/likelihoods64.js';
import { factorsOfLayer, meanHessian, sketched } from '../support/math/lowRank64.js';
import { chain, dense, functional, inputsFor, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

/** Outputs, examples. Rank 3 and 10 columns more make 13 of 20. */
const [C, N] = [20, 60];
const curvature = lowRank({ rank: 3, seed: 5 });

const sharpened = (units: number): tf.LayersModel => {
  const model = chain([6, units]);
  // Logits that differ by a few, so that classes are sure of some examples.
  model.setWeights(model.getWeights().map((w) => tf.mul(w, 3)));
  return model;
};

type LowRankSums = Extract<LayerSums, { readonly structure: 'lowRank' }>['parts'];
const sumsOf = ({ layers }: Factors): LowRankSums => {
  const [sums] = layers;
  if (sums?.structure !== 'lowRank') throw new Error('expected lowRank');
  return sums.parts;
};

/** λ of the kept directions; undefined where G is its diagonal. */
const rankOf = (layer: PosteriorLayer): Float64Array | undefined => matricesOf(layer).rankValues?.data;

const outputsOf = (model: tf.LayersModel, x: tf.Tensor[]): number[][] =>
  tf.tidy(() => (model.predict(x[0] as tf.Tensor) as tf.Tensor).arraySync()) as number[][];

/** E[Λ] from the model's own outputs. */
const definition = (model: tf.LayersModel, likelihood: Likelihood, x: tf.Tensor[]): number[][] =>
  meanHessian(outputsOf(model, x).map((f) => hessian(likelihood, f)));

it('keeps the diagonal of G, and the eigenvectors that its products show', async () => {
  const model = sharpened(C);
  const data = dataFor(model, categorical(), N);
  const factors = await factorsOf(model, categorical(), data, curvature, 16);
  expect(factors.rows).toBe(0);
  const { layers } = factors.layout;
  expect(layers).toEqual([
    {
      name: model.layers[1]?.name,
      structure: 'lowRank',
      members: [model.layers[1]?.name],
      groups: 1,
      n: 7,
      m: C,
      bias: true,
      sketch: { rank: 3, columns: 13, seed: 5 },
    },
  ]);
  const G = definition(model, categorical(), data.x);
  expect(
    relativeError(
      sumsOf(factors).diagonal,
      G.map((row, c) => N * (row[c] as number)),
    ),
  ).toBeLessThan(FLOAT32);
  const expected = sketched(G, layers[0]?.sketch as Sketch);
  const [layer] = (await posteriorFrom(factors, {})).layers as [PosteriorLayer];
  // Eigenvectors of float32 sums: an error of 1e-7 of G grows with the condition of Ωᵀ Y, 1e3 here.
  expect(relativeError(factorsOfLayer(layer).G, expected.G)).toBeLessThan(1e-4);
  expect(keptTrace(layer)).toBeCloseTo(expected.kept, 4);
  expect(expected.kept).toBeGreaterThan(0.3);
  expect(expected.kept).toBeLessThan(0.95);
  // Eigenvalues are no larger than G's own, and the trace is G's.
  expect(rankOf(layer)).toHaveLength(3);
  const [exact] = (await posteriorFrom(await factorsOf(model, categorical(), data, kfac({ layers: 'last' }), 16), {})).layers;
  const kfacG = matricesOf(exact).gradientValues?.data as Float64Array;
  rankOf(layer)?.forEach((v, j) => expect(v).toBeLessThan((1 + FLOAT32) * (kfacG[C - 1 - j] as number)));
});

it('is all of G where the rank is that of G', async () => {
  const model = sharpened(C);
  const data = dataFor(model, categorical(), N);
  for (const rank of [C - 10, C, 1000]) {
    const factors = await factorsOf(model, categorical(), data, lowRank({ rank }), 16);
    const [layer] = (await posteriorFrom(factors, {})).layers as [PosteriorLayer];
    const G = definition(model, categorical(), data.x);
    if (rank < C) expect(rankOf(layer)).toHaveLength(rank);
    else {
      expect(relativeError(factorsOfLayer(layer).G, G)).toBeLessThan(C * FLOAT32);
      expect(keptTrace(layer)).toBeCloseTo(1, 4);
    }
  }
});

it.each<Likelihood>([bernoulli(), gaussian({ noiseVariance: 0.3 }), heteroscedastic(), poisson()])(
  '$_tag: independent outputs have a diagonal, and no sketch',
  async (likelihood) => {
    const model = chain([5, 4]);
    const data = dataFor(model, likelihood, N);
    const factors = await factorsOf(model, likelihood, data, lowRank({ rank: 2 }));
    expect(sumsOf(factors).sketch).toBeUndefined();
    const [layer] = (await posteriorFrom(factors, {})).layers as [PosteriorLayer];
    expect(rankOf(layer)).toBeUndefined();
    expect(keptTrace(layer)).toBe(1);
    expect(relativeError(factorsOfLayer(layer).G, definition(model, likelihood, data.x))).toBeLessThan(FLOAT32);
  },
);

it('adds up: shards, batches, weights as multiplicities; not those of another seed', async () => {
  const model = sharpened(C);
  const [a, b] = [dataFor(model, categorical(), N), dataFor(model, categorical(), N, 50)];
  const of = (data: typeof a, size: number, own = curvature) => factorsOf(model, categorical(), data, own, size);
  const [first, second] = [await of(a, 16), await of(b, 7)];
  const whole = { ...a, x: [tf.concat([a.x[0] as tf.Tensor, b.x[0] as tf.Tensor])], y: tf.concat([a.y, b.y]) };
  expectSameFactors(right(merge(first, second)), await of(whole, 50), FLOAT32);
  expect(kindOf(merge(first, await of(b, 16, lowRank({ rank: 3, seed: 6 }))))).toBe('Mismatch');
  const weighted = categorical({ classWeights: Array.from({ length: C }, (_, c) => c % 3) });
  const [found, one] = [sumsOf(await factorsOf(model, weighted, a, curvature)), sumsOf(first)];
  const G = meanHessian(
    outputsOf(model, a.x).map((f, i) => {
      const label = (a.targets[i] as number[]).indexOf(1);
      return hessian(categorical(), f).map((row) => row.map((v) => (label % 3) * v));
    }),
  );
  expect(
    relativeError(
      found.diagonal,
      G.map((row, c) => N * (row[c] as number)),
    ),
  ).toBeLessThan(FLOAT32);
  expect(relativeError(found.diagonal, one.diagonal)).toBeGreaterThan(0.1);
});

describe('coverage', () => {
  it('counts what is summed, and says what is kept', () => {
    const found = right(coverage(chain([6, C]), { likelihood: categorical(), curvature }));
    expect(found.rowsPerExample).toBe(0);
    expect(found.bytes).toBe(8 * (7 * 7 + C + 13 * C));
    expect(found.layers[0]).toMatchObject({ block: 'lowRank', reason: 'a factor, and a diagonal and at most 3 eigenvectors' });
    expect(found.layers[1]).toMatchObject({ block: 'map' });
    expect(coverageTable(found)).toContain('lowRank');
    const own = right(coverage(chain([6, C]), { likelihood: poisson(), curvature }));
    expect(own.bytes).toBe(8 * (7 * 7 + C));
    expect(own.layers[0]?.reason).toBe('a factor and a diagonal');
  });

  it('takes 10,000 classes, where kfac names it as what to do', () => {
    const model = chain([6, 10_000]);
    const found = right(coverage(model, { likelihood: categorical(), curvature: lowRank() }));
    expect([found.warnings, found.bytes]).toEqual([[], 8 * (7 * 7 + 75 * 10_000)]);
    for (const layers of ['all', 'last'] as const) {
      const { warnings } = right(coverage(model, { likelihood: categorical(), curvature: kfac({ layers }) }));
      expect(warnings.filter((w) => w.includes('lowRank()'))).toHaveLength(1);
    }
  });
});

describe('refuses, with what to do', () => {
  const refused = (model: tf.LayersModel, likelihood: Likelihood, own = curvature) => {
    const remedy = (promise: Promise<unknown>) => expectRejection(promise, 'UnsupportedLayer');
    expect(kindOf(coverage(model, { likelihood, curvature: own }))).toBe('UnsupportedLayer');
    return remedy(factorsOf(model, likelihood, dataFor(model, gaussian(), 4), own));
  };

  it('layers other than the last', async () => {
    const model = chain([6, 4]);
    expect((await refused(model, gaussian(), lowRank({ layers: 'all' }))).message).toContain("layers: 'last'");
    const [low] = model.layers as [tf.layers.Layer];
    expect((await refused(model, gaussian(), lowRank({ layers: [low.name] }))).message).toContain(low.name);
  });

  it('a last layer whose pre-activation is not the output', async () => {
    const model = functional([3], (x) => on(tf.layers.reshape({ targetShape: [4] }), on(dense(4, { name: 'top' }), x)));
    expect((await refused(model, gaussian())).message).toContain('top');
  });

  it('a likelihood of its own', async () => {
    const own = customLikelihood({
      name: 'squares',
      nll: (f, y) => tf.sum(tf.squaredDifference(f, y), 1) as tf.Tensor1D,
      hessianRoot: (f) => tf.ones([1, ...f.shape]) as tf.Tensor3D,
    });
    expect((await refused(chain([6, 4]), own)).message).toContain('kfac');
  });

  it('an input factor that is too large', async () => {
    const model = functional([LARGEST_FACTOR], (x) => on(dense(1, { name: 'top' }), x));
    expect((await refused(model, gaussian())).message).toContain('diagonal');
  });
});

it('sums 10,000 classes', async () => {
  const model = withWeights(
    functional([16], (x) => on(dense(10_000, { name: 'top' }), x)),
    3,
  );
  const x = inputsFor(model, 64, 4)[0] as tf.Tensor;
  const y = tf.tensor1d(Array.from({ length: 64 }, (_, i) => 150 * i));
  const factors = await factorsOf(model, categorical(), { x: [x], y }, lowRank({ rank: 8 }), 32);
  const { diagonal, sketch } = sumsOf(factors);
  expect([diagonal.rows, sketch?.rows, sketch?.cols]).toEqual([10_000, 10_000, 18]);
  // Σ p (1 − p) is short of the number of examples by Σ p².
  const p = tf.tidy(() => tf.softmax(model.predict(x) as tf.Tensor));
  const squares = tf.tidy(() => tf.sum(tf.square(p)).arraySync()) as number;
  expect(diagonal.data.reduce((a, b) => a + b)).toBeCloseTo(64 - squares, 2);
});

it('is gathered during training as well', async () => {
  const model = chain([6, C]);
  model.compile({ optimizer: tf.train.sgd(0), loss: tf.losses.softmaxCrossEntropy });
  const data = dataFor(model, categorical(), N);
  const callback = laplaceCallback({ likelihood: categorical(), curvature, epochs: finalEpochs(1) });
  await model.fit(data.x[0] as tf.Tensor, data.y, { epochs: 1, batchSize: 16, shuffle: false, verbose: 0, callbacks: callback });
  const found = await lastValueFrom(callback.factors$);
  expectSameFactors(found, await factorsOf(model, categorical(), data, curvature, 16), FLOAT32);
});

it('leaves no tensor behind', async () => {
  const model = sharpened(C);
  const data = dataFor(model, categorical(), N);
  await expectNoLeak(() => factorsOf(model, categorical(), data, curvature));
});
