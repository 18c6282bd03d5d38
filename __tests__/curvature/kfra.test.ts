/** KFRA against its recursion in float64, the exact factors where the two are the same, and what it cannot go through. */
import * as tf from '@tensorflow/tfjs';
import { taskEither as TE } from 'fp-ts';
import { bernoulli, categorical, exactDamping, gaussian, isotropic, kfac, kfra, type Likelihood, moments } from 'tfjs-laplace';
import { prepare } from '../../src/curvature/estimator.js';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { readNetwork } from '../../src/network/network.js';
import { type PosteriorOptions, posteriorOf, posteriorTask } from '../../src/posterior/posteriorOf.js';
import { matricesOf } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { combination, meanOf, outer, product, type Rows, transposed } from '../support/math/dense64.js';
import { dataFor, factorsOf, kindOf, right } from '../support/math/laplace.js';
import { hessian, sigmoid } from '../support/math/likelihoods64.js';
import { chain, dense, functional, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, FLOAT64, relativeError } from '../support/math/numbers.js';
import { matrixOf } from '../support/math/posteriors64.js';

const N = 6;
const OPTIONS: PosteriorOptions = { prior: isotropic(1), damping: exactDamping(), layers: 'all' };

const LAST: ReadonlyArray<readonly [string, Likelihood, 'linear' | 'sigmoid' | 'softmax' | 'tanh']> = [
  ['categorical logits', categorical(), 'linear'],
  ['a softmax', categorical(), 'softmax'],
  ['a sigmoid', bernoulli(), 'sigmoid'],
  ['a regression', gaussian({ noiseVariance: 0.3 }), 'linear'],
  ['a regression through an activation', gaussian({ noiseVariance: 0.3 }), 'tanh'],
];

describe.each(LAST)('%s', (_, likelihood, activation) => {
  it('is the exact factors of a network of one layer', async () => {
    const model = withWeights(tf.sequential({ layers: [dense(3, { inputShape: [4], activation })] }), 2);
    const data = dataFor(model, likelihood, N);
    const [exact, found] = await Promise.all([kfac(), kfra()].map((c) => factorsOf(model, likelihood, data, c)));
    expect(relativeError(kronecker(found?.layers[0]).gradient, kronecker(exact?.layers[0]).gradient)).toBeLessThan(FLOAT32);
    expect(relativeError(kronecker(found?.layers[0]).input, kronecker(exact?.layers[0]).input)).toBeLessThan(FLOAT32);
  });

  it('is the exact factors of the last layer, and below it where Λ is the same for every example', async () => {
    const layers = [dense(4, { inputShape: [3], activation: 'tanh' }), dense(3, { activation })];
    const model = withWeights(tf.sequential({ layers }), 2);
    const data = dataFor(model, likelihood, N);
    const [exact, found] = await Promise.all(
      [kfac(), kfra()].map(async (c) => right(moments(await factorsOf(model, likelihood, data, c)))),
    );
    expect(relativeError(kronecker(found?.[1]).gradient, kronecker(exact?.[1]).gradient)).toBeLessThan(FLOAT32);
    const below = relativeError(kronecker(found?.[0]).gradient, kronecker(exact?.[0]).gradient);
    if (likelihood._tag === 'gaussian' && activation === 'linear') expect(below).toBeLessThan(FLOAT32);
    else expect(below).toBeGreaterThan(0.01);
  });
});

it('runs H_l = (W H W ᵀ) ⊙ E[φ′ φ′ᵀ] downwards, through several activations in a row and none', async () => {
  const model = withWeights(
    tf.sequential({
      layers: [
        dense(4, { inputShape: [3], activation: 'tanh' }),
        tf.layers.activation({ activation: 'softplus' }),
        tf.layers.dropout({ rate: 0.4 }),
        dense(3),
        dense(2, { useBias: false }),
      ],
    }),
    2,
  );
  const likelihood = categorical();
  const data = dataFor(model, likelihood, N);
  const found = right(moments(await factorsOf(model, likelihood, data, kfra(), 4)));

  const [W1, b1, W2, b2, W3] = model.getWeights().map((w) => w.arraySync()) as [Rows, number[], Rows, number[], Rows];
  const affine = (x: Rows, W: Rows, b: ReadonlyArray<number>) =>
    product(x, W).map((row) => row.map((v, j) => v + (b[j] as number)));
  const z1 = affine(data.x[0]?.arraySync() as number[][], W1, b1);
  const h1 = z1.map((row) => row.map((v) => Math.log1p(Math.exp(Math.tanh(v)))));
  const slopes = z1.map((row) => row.map((v) => sigmoid(Math.tanh(v)) * (1 - Math.tanh(v) ** 2)));
  const f = product(affine(h1, W2, b2), W3);
  const H3 = meanOf(f.map((row) => hessian(likelihood, row)));
  const H2 = product(W3, H3, transposed(W3));
  const spread = meanOf(slopes.map((s) => outer(s, s)));
  const H1 = product(W2, H2, transposed(W2)).map((row, i) => row.map((v, j) => v * (spread[i]?.[j] as number)));
  for (const [l, H] of [H1, H2, H3].entries()) expect(relativeError(kronecker(found[l]).gradient, H)).toBeLessThan(FLOAT32);
  const withOnes = h1.map((row) => [...row, 1]);
  expect(relativeError(kronecker(found[1]).input, combination([1 / N, product(transposed(withOnes), withOnes)]))).toBeLessThan(
    FLOAT32,
  );
});

it("leaves a posterior's products to the engine, one that is waited for or one that is not", async () => {
  const likelihood = categorical();
  const model = chain([5, 4, 3]);
  const factors = await factorsOf(model, likelihood, dataFor(model, likelihood, N), kfra());
  const multiply = jest.fn(javascriptEngine.multiply);
  const engine = { ...javascriptEngine, multiply };
  const posterior = right(posteriorOf(factors, OPTIONS, engine));
  // Two for each layer but the last.
  expect(multiply).toHaveBeenCalledTimes(4);
  right(moments(factors)).forEach((layer, l) => {
    const { values } = right(javascriptEngine.symmetricEigen(kronecker(layer).gradient));
    // Λ is singular: what float32 makes of its zero may be below it, which a posterior takes as zero.
    const least = values.map((v) => Math.max(0, v));
    expect(relativeError(matricesOf(posterior.layers[l]).gradientValues?.data ?? [], least)).toBeLessThan(FLOAT64);
  });
  const waited = await posteriorTask(factors, OPTIONS, {
    symmetricEigen: TE.fromEitherK(engine.symmetricEigen),
    multiply: TE.fromEitherK(engine.multiply),
  })();
  expect(right(waited)).toEqual(posterior);
  const nothing = matrixOf([]);
  const failing = { ...javascriptEngine, multiply: () => javascriptEngine.multiply(nothing, nothing) };
  expect(kindOf(posteriorOf(factors, OPTIONS, failing))).toBe('InvalidInput');
});

it('takes flattened inputs: what is below the lowest covered layer does not matter', async () => {
  const flat = chain([4, 2], { inputs: 6 });
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [2, 3] }),
      ...flat.layers.map((l) => dense(l.getConfig().units as number, { activation: l.getConfig().activation as 'tanh' })),
    ],
  });
  model.setWeights(flat.getWeights());
  const { x, y } = dataFor(flat, gaussian(), N);
  const plain = await factorsOf(flat, gaussian(), { x, y }, kfra());
  const found = await factorsOf(model, gaussian(), { x: x.map((t) => tf.reshape(t, [-1, 2, 3])), y }, kfra());
  expect(found.layers).toEqual(plain.layers);
});

describe('refuses, by the name of the layer', () => {
  const tanh = (units: number, name?: string) => dense(units, { activation: 'tanh', ...(name ? { name } : {}) });
  it.each<[string, string, () => tf.LayersModel]>([
    [
      'a branch that is added',
      'sum',
      () =>
        functional([3], (x) => {
          const h = on(tanh(3), x);
          return on(dense(2), on(tf.layers.add({ name: 'sum' }), h, on(tanh(3), h)));
        }),
    ],
    [
      'a branch that is concatenated',
      'joined',
      () => functional([3], (x) => on(dense(2), on(tf.layers.concatenate({ name: 'joined' }), x, on(tanh(3), x)))),
    ],
    [
      'a softmax between two layers',
      'soft',
      () => functional([3], (x) => on(dense(2), on(dense(3, { activation: 'softmax', name: 'soft' }), on(tanh(3), x)))),
    ],
    [
      'a normalisation',
      'norm',
      () =>
        functional([3], (x) =>
          on(dense(2), on(tf.layers.layerNormalization({ name: 'norm', trainable: false }), on(tanh(3), x))),
        ),
    ],
    [
      'a reshape between two layers',
      'cut',
      () =>
        functional([3], (x) =>
          on(dense(2), on(tf.layers.flatten(), on(tf.layers.reshape({ targetShape: [2, 2], name: 'cut' }), on(tanh(4), x)))),
        ),
    ],
  ])('%s', (_, name, build) => {
    const network = right(readNetwork(build(), gaussian()));
    const prepared = prepare(network, kfra());
    expect(kindOf(prepared)).toBe('UnsupportedLayer');
    expect(prepared).toMatchObject({ left: { layer: name } });
    // The last layer alone has a chain above it, of no further layer.
    expect(right(prepare(network, kfra({ layers: 'last' }))).layout.layers).toHaveLength(1);
  });
});
