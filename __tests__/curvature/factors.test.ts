/** Factors against per-example Jacobians of the model as tfjs runs it. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, type Factors, gaussian, kfac, type Likelihood, moments } from 'tfjs-laplace';
import { kronecker } from '../support/kronecker.js';
import { exactFactors } from '../support/math/curvature64.js';
import { meanOf, outer, product, type Rows } from '../support/math/dense64.js';
import { denseLayers, type ExampleJacobian, jacobians } from '../support/math/jacobians.js';
import { dataFor, factorsOf, right } from '../support/math/laplace.js';
import { gradient, negativeLogLikelihood } from '../support/math/likelihoods64.js';
import { chain, DENSE_NETWORKS, dense, MIXED_NETWORKS, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const LIKELIHOODS: ReadonlyArray<readonly [string, Likelihood]> = [
  ['categorical', categorical()],
  ['bernoulli', bernoulli()],
  ['gaussian', gaussian({ noiseVariance: 0.3 })],
];

const N = 7;

/** Jacobians of the layers of factors, in their order. */
function jacobiansOf(model: tf.LayersModel, factors: Factors, x: tf.Tensor[]): ExampleJacobian[] {
  const layers = factors.layout.layers.map(({ name }) => denseLayers(model).find((l) => l.name === name) as tf.layers.Layer);
  return jacobians(model, x, layers);
}

const layerOf = (example: ExampleJacobian, l: number) => example.layers[l] as ExampleJacobian['layers'][number];

it.each([...DENSE_NETWORKS, ...MIXED_NETWORKS])('exact: A = E[a aᵀ] and G = E[J_zᵀ Λ J_z] of $name', async ({ build }) => {
  const model = build();
  let examples: ExampleJacobian[] | undefined;
  for (const [, likelihood] of LIKELIHOODS) {
    const { x, y } = dataFor(model, likelihood, N);
    const factors = await factorsOf(model, likelihood, { x, y }, kfac(), 3);
    examples ??= jacobiansOf(model, factors, x);
    const expected = exactFactors(examples, likelihood);
    right(moments(factors))
      .map(kronecker)
      .forEach(({ input, gradient: G }, l) => {
        expect(relativeError(input, expected[l]?.A as Rows)).toBeLessThan(FLOAT32);
        expect(relativeError(G, expected[l]?.G as Rows)).toBeLessThan(FLOAT32);
      });
  }
});

describe.each(LIKELIHOODS)('%s', (_, likelihood) => {
  it('empirical: G = E[g gᵀ] with the gradients at the labels', async () => {
    const model = chain([4, 3]);
    const { x, y, targets } = dataFor(model, likelihood, N);
    const factors = await factorsOf(model, likelihood, { x, y }, kfac({ fisher: 'empirical' }), 3);
    const examples = jacobiansOf(model, factors, x);
    right(moments(factors))
      .map(kronecker)
      .forEach((found, l) => {
        const rows = examples.map((example, b) => {
          const seed = gradient(likelihood, example.outputs, targets[b] as number[]);
          return product([seed], layerOf(example, l).g)[0] as number[];
        });
        expect(relativeError(found.gradient, meanOf(rows.map((g) => outer(g, g))))).toBeLessThan(FLOAT32);
        expect(relativeError(found.input, meanOf(examples.map((e) => outer(layerOf(e, l).a, layerOf(e, l).a))))).toBeLessThan(
          FLOAT32,
        );
      });
  });

  it('sums log p(y | f) and counts examples', async () => {
    const model = chain([4, 3]);
    const { x, y, targets } = dataFor(model, likelihood, N);
    const factors = await factorsOf(model, likelihood, { x, y }, kfac(), 3);
    const expected = jacobiansOf(model, factors, x).reduce(
      (sum, { outputs }, b) => sum - negativeLogLikelihood(likelihood, outputs, targets[b] as number[]),
      0,
    );
    expect(relativeError(factors.logLikelihood, expected)).toBeLessThan(FLOAT32);
    expect([factors.count, factors.datasetSize]).toEqual([N, N]);
  });
});

it.each<[string, Likelihood, () => tf.layers.Layer]>([
  ['softmax', categorical(), () => tf.layers.activation({ activation: 'softmax' })],
  ['sigmoid', bernoulli(), () => tf.layers.activation({ activation: 'sigmoid' })],
])('are those of the logits, whether the %s is in the model or not', async (_, likelihood, link) => {
  const logits = chain([4, 3]);
  const linked = chain([4, 3]);
  linked.add(link());
  const { x, y } = dataFor(logits, likelihood, N);
  const [a, b] = await Promise.all([logits, linked].map((model) => factorsOf(model, likelihood, { x, y })));
  expect(b?.layers).toEqual(a?.layers);
});

it.each([1, 2, 6, 7, 100])('do not depend on the batch size: %d', async (batchSize) => {
  const model = chain([4, 3]);
  const { x, y } = dataFor(model, categorical(), N);
  const [whole, cut] = await Promise.all([N, batchSize].map((size) => factorsOf(model, categorical(), { x, y }, kfac(), size)));
  expectSameSums(cut as Factors, whole as Factors);
});

it('do not depend on how many rows go back through the network at once', async () => {
  // 6000 examples of 3 outputs are more rows than one backward pass takes.
  const model = withWeights(tf.sequential({ layers: [dense(2, { inputShape: [2], activation: 'tanh' }), dense(3)] }), 3);
  const { x, y } = dataFor(model, categorical(), 6000);
  const [whole, cut] = await Promise.all([6000, 500].map((size) => factorsOf(model, categorical(), { x, y }, kfac(), size)));
  // Sums of 6000 float32 numbers by another order: √6000 roundings of 6e-8 in the worst of cases that happen.
  expectSameSums(cut as Factors, whole as Factors);
});

function expectSameSums(found: Factors, expected: Factors): void {
  expect(found.count).toBe(expected.count);
  expect(relativeError(found.logLikelihood, expected.logLikelihood)).toBeLessThan(FLOAT32);
  found.layers.map(kronecker).forEach(({ input, gradient: G }, l) => {
    expect(relativeError(input, kronecker(expected.layers[l]).input)).toBeLessThan(FLOAT32);
    expect(relativeError(G, kronecker(expected.layers[l]).gradient)).toBeLessThan(FLOAT32);
  });
}
