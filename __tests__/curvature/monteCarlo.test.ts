/** The Monte Carlo Fisher estimates the exact one: without bias, with an error that falls as 1/√k, by its seed alone. */
import * as tf from '@tensorflow/tfjs';
import { type Curvature, categorical, diagonal, type Factors, full, gaussian, kfac } from 'tfjs-laplace';
import { observeRows, prepare } from '../../src/curvature/estimator.js';
import { forward } from '../../src/network/forward.js';
import { readNetwork } from '../../src/network/network.js';
import { key } from '../../src/random/key.js';
import { kronecker } from '../support/kronecker.js';
import { outer, product } from '../support/math/dense64.js';
import { denseLayers, jacobians } from '../support/math/jacobians.js';
import { dataFor, factorsOf, right } from '../support/math/laplace.js';
import { softmax } from '../support/math/likelihoods64.js';
import { estimate, missedBy, STANDARD_ERRORS } from '../support/math/monteCarlo.js';
import { chain } from '../support/math/networks.js';
import { inRows } from '../support/math/numbers.js';

const N = 5;
const monteCarlo = (draws: number, seed = 0) => kfac({ fisher: { _tag: 'monteCarlo', samples: draws, seed } });

it.each([categorical(), gaussian({ noiseVariance: 0.3 })])('is unbiased: $_tag', async (likelihood) => {
  const model = chain([3, 2]);
  const { x, y } = dataFor(model, likelihood, N);
  const exact = await factorsOf(model, likelihood, { x, y });
  const draws = 3000;
  const prepared = right(prepare(right(readNetwork(model, likelihood)), monteCarlo(draws)));
  const { network } = prepared;
  const rows: number[][][] = network.blocks.map(() => []);
  tf.tidy(() => {
    const observation = { network, tape: forward(network, x), targets: y as tf.Tensor2D, key: key(4) };
    const gram = (layer: number, part: string, g: tf.Tensor) => {
      if (part === 'gradient') rows[layer]?.push(...(g.arraySync() as number[][]));
    };
    const add = () => {
      throw new Error('two factors are sums of rows');
    };
    expect(observeRows(prepared, observation, { gram, add })).toBe(draws * N);
  });
  exact.layers.forEach((layer, l) => {
    const own = rows[l] as number[][];
    expect(own).toHaveLength(draws * N);
    // One estimate a draw: the sum over examples, freed of the 1/√k that every row carries.
    const estimates = inRows(
      Array.from({ length: draws * N }, (_, i) => i),
      N,
    ).map((group) =>
      group
        .map((i) => outer(own[i] as number[], own[i] as number[]).flat())
        .reduce((a, b) => a.map((v, i) => v + (b[i] as number)))
        .map((v) => draws * v),
    );
    expect(missedBy(estimates, kronecker(layer).gradient.data)).toBeLessThan(STANDARD_ERRORS);
  });
});

// 180 passes: seconds, on a machine that is busy.
it('has a squared error of Var / k, in the mean over seeds', async () => {
  const model = chain([3, 2]);
  const { x, y } = dataFor(model, categorical(), N);
  const exact = await factorsOf(model, categorical(), { x, y });
  const expected = variance(model, x);
  for (const draws of [1, 9, 81]) {
    const errors: number[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const { layers } = await factorsOf(model, categorical(), { x, y }, monteCarlo(draws, seed), N);
      const found = kronecker(layers[0]).gradient.data;
      errors.push(
        draws * found.reduce((sum, v, i) => sum + (v - (kronecker(exact.layers[0]).gradient.data[i] as number)) ** 2, 0),
      );
    }
    const { mean, standardError } = estimate(errors);
    expect(Math.abs(mean - expected)).toBeLessThan(STANDARD_ERRORS * standardError);
  }
});

it('draws by seed, and anew for every batch', async () => {
  const model = chain([3, 2]);
  const x = [tf.ones([8, 3])];
  const y = tf.tensor1d([0, 1, 0, 1, 0, 1, 0, 1]);
  const sums = ({ layers }: Factors) => Array.from(kronecker(layers[0]).gradient.data);
  const run = async (seed: number, batchSize: number) =>
    sums(await factorsOf(model, categorical(), { x, y }, monteCarlo(2, seed), batchSize));
  expect(await run(3, 4)).toEqual(await run(3, 4));
  expect(await run(3, 4)).not.toEqual(await run(4, 4));
  // Two equal batches: were their labels the same, the sum would be twice that of one.
  const half = sums(await factorsOf(model, categorical(), { x: [tf.ones([4, 3])], y: tf.slice(y, 0, 4) }, monteCarlo(2, 3), 4));
  expect(await run(3, 4)).not.toEqual(half.map((v) => 2 * v));
});

it.each<[string, (seed: number) => Curvature]>([
  ['diagonal', (seed) => diagonal({ fisher: { _tag: 'monteCarlo', seed } })],
  ['full', (seed) => full({ fisher: { _tag: 'monteCarlo', seed } })],
])('draws by the seed of the Fisher matrix under %s too', async (_, curvature) => {
  const model = chain([3, 2]);
  const data = dataFor(model, categorical(), N);
  const [one, again, other] = await Promise.all([3, 3, 4].map((seed) => factorsOf(model, categorical(), data, curvature(seed))));
  expect(again).toEqual(one);
  expect(other?.layers).not.toEqual(one?.layers);
});

/** Σ over entries of the variance of one draw's Σ_b g gᵀ in the first layer: all labels enumerated, examples independent. */
function variance(model: tf.LayersModel, x: tf.Tensor[]): number {
  const [layer] = denseLayers(model) as [tf.layers.Layer];
  return jacobians(model, x, [layer])
    .map(({ outputs, layers }) => {
      const p = softmax(outputs);
      const squares = p.map((_, y) => {
        const [g] = product([p.map((v, c) => v - (c === y ? 1 : 0))], layers[0]?.g as number[][]) as [number[]];
        return outer(g, g).flat();
      });
      return (squares[0] as number[]).reduce((sum, _, i) => {
        const mean = p.reduce((total, v, y) => total + v * (squares[y]?.[i] as number), 0);
        return sum + p.reduce((total, v, y) => total + v * ((squares[y]?.[i] as number) - mean) ** 2, 0);
      }, 0);
    })
    .reduce((a, b) => a + b);
}
