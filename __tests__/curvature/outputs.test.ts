/** Curvature of a network with two outputs, against Jacobians of the same network with one. */
import * as tf from '@tensorflow/tfjs';
import {
  type Curvature,
  diagonal,
  type Factors,
  full,
  kfac,
  type LayerMoments,
  merge,
  moments,
  outputDistribution,
} from 'tfjs-laplace';
import { fisherOf } from '../../src/curvature/codec.js';
import { distance, pass } from '../support/factors.js';
import { ANGLE, BOTH, DIGIT, DIGITS, headData, type TwoHeads, twoHeads } from '../support/heads.js';
import { kronecker } from '../support/kronecker.js';
import { inverse, kron, meanOf, outer, plus, product, type Rows, transposed } from '../support/math/dense64.js';
import { type ExampleJacobian, jacobians } from '../support/math/jacobians.js';
import { posteriorFrom, right } from '../support/math/laplace.js';
import { gradient, hessian, negativeLogLikelihood } from '../support/math/likelihoods64.js';
import { expectNoLeak } from '../support/memory.js';

/** Float32 forward and backward passes through three layers, on both sides. */
const FLOAT32 = 1e-5;
const N = 5;
const TAU = 3;

let heads: TwoHeads;
let data: ReturnType<typeof headData>;
let examples: ExampleJacobian[];
beforeAll(() => {
  heads = twoHeads();
  data = headData(heads.model, N);
  const layers = ['trunk', 'logits', 'own', 'angle'].map((name) => heads.model.getLayer(name));
  examples = jacobians(heads.side, data.x, layers);
});

const labels = (b: number): [number[], number[]] => {
  const k = data.y.digit.arraySync() as number[];
  return [
    Array.from({ length: DIGITS }, (_, c) => (c === k[b] ? 1 : 0)),
    (data.y.angle.arraySync() as number[][])[b] as number[],
  ];
};

/** Λ: that of each output on its own, and nothing between them. */
function lambda({ outputs }: ExampleJacobian): number[][] {
  const [digit, angle] = [hessian(DIGIT, outputs.slice(0, DIGITS)), hessian(ANGLE, outputs.slice(DIGITS))];
  return [...digit.map((row) => [...row, 0, 0]), ...angle.map((row) => [0, 0, 0, ...row])];
}

const gradientOf = ({ outputs }: ExampleJacobian, b: number): number[] => {
  const [digit, angle] = labels(b);
  return [...gradient(DIGIT, outputs.slice(0, DIGITS), digit), ...gradient(ANGLE, outputs.slice(DIGITS), angle)];
};

const ofLayer = (l: number, of: (g: Rows, rows: Rows, example: ExampleJacobian, b: number) => Rows): Rows =>
  meanOf(examples.map((example, b) => of(example.layers[l]?.g as Rows, example.layers[l]?.rows as Rows, example, b)));

const find = (found: ReadonlyArray<LayerMoments>, name: string): LayerMoments =>
  found.find(({ layout }) => layout.name === name) as LayerMoments;

const NAMES = ['trunk', 'logits', 'own', 'angle'];

it('exact: A and G of every layer; 0 in G of a head for the other output', async () => {
  const factors = await pass(heads.model, BOTH, data, kfac({ fisher: 'exact' }), 2);
  const found = right(moments(factors));
  expect(found.map(({ layout }) => layout.name)).toEqual(NAMES);
  NAMES.forEach((name, l) => {
    const own = kronecker(find(found, name));
    const A = meanOf(examples.map(({ layers }) => outer(layers[l]?.a as number[], layers[l]?.a as number[])));
    const G = ofLayer(l, (g, _, example) => product(transposed(g), lambda(example), g));
    expect(distance(own.input.data, A.flat())).toBeLessThan(FLOAT32);
    expect(distance(own.gradient.data, G.flat())).toBeLessThan(FLOAT32);
  });
  const logLikelihood = examples.reduce((sum, { outputs }, b) => {
    const [digit, angle] = labels(b);
    const nll =
      negativeLogLikelihood(DIGIT, outputs.slice(0, DIGITS), digit) + negativeLogLikelihood(ANGLE, outputs.slice(DIGITS), angle);
    return sum - nll;
  }, 0);
  expect(factors.logLikelihood).toBeCloseTo(logLikelihood, 4);
});

it('empirical: rows are gradients of the sum over outputs', async () => {
  const found = right(moments(await pass(heads.model, BOTH, data, kfac({ fisher: 'empirical' }), 2)));
  NAMES.forEach((name, l) => {
    const G = ofLayer(l, (g, _, example, b) => {
      const [row] = product([gradientOf(example, b)], g) as [number[]];
      return outer(row, row);
    });
    expect(distance(kronecker(find(found, name)).gradient.data, G.flat())).toBeLessThan(FLOAT32);
  });
});

it('full is Jᵀ Λ J over all weights, diagonal its diagonal', async () => {
  const J = (example: ExampleJacobian): number[][] =>
    example.outputs.map((_, c) => example.layers.flatMap(({ rows }) => rows[c] as number[]));
  const ggn = meanOf(examples.map((example) => product(transposed(J(example)), lambda(example), J(example))));
  const [whole] = right(moments(await pass(heads.model, BOTH, data, full(), 2)));
  if (whole?._tag !== 'kronecker') throw new Error('full has an input factor');
  expect(distance(whole.input.data, ggn.flat())).toBeLessThan(FLOAT32);
  const parts = right(moments(await pass(heads.model, BOTH, data, diagonal(), 2)));
  const entries = parts.flatMap((layer) => (layer._tag === 'diagonal' ? Array.from(layer.squares.data) : []));
  expect(
    distance(
      entries,
      ggn.map((row, i) => row[i] as number),
    ),
  ).toBeLessThan(FLOAT32);
});

it('outputs vary together under the posterior: the covariance of f is Σ_l J_l C_l J_lᵀ', async () => {
  const factors = await pass(heads.model, BOTH, data, kfac(), 2);
  const posterior = await posteriorFrom(factors, { priorPrecision: TAU });
  const { covariance } = await outputDistribution(heads.model, posterior, data.x);
  const found = right(moments(factors));
  const C = NAMES.map((name) => {
    const { input, gradient: G } = kronecker(find(found, name));
    const rows = (m: { data: Float64Array; cols: number }): number[][] =>
      Array.from({ length: m.cols }, (_, i) => Array.from(m.data.subarray(i * m.cols, (i + 1) * m.cols)));
    const precision = kron(rows(input), rows(G)).map((row, i) => row.map((v, j) => N * v + (i === j ? TAU : 0)));
    return inverse(precision);
  });
  examples.forEach(({ layers }, b) => {
    const expected = layers.map(({ rows }, l) => product(rows as Rows, C[l] as Rows, transposed(rows as Rows))).reduce(plus);
    expect(distance(covariance[b] as Float32Array, expected.flat())).toBeLessThan(FLOAT32);
    // The trunk is common to both.
    expect(Math.abs(covariance[b]?.[DIGITS] as number)).toBeGreaterThan(1e-4);
  });
});

it.each<Curvature>([
  kfac(),
  kfac({ fisher: 'truncated' }),
  kfac({ fisher: 'empirical' }),
  kfac({ fisher: { _tag: 'monteCarlo', samples: 2, seed: 1 } }),
])('shards merge to the whole, and nothing is left behind: %j', async (curvature) => {
  const part = (start: number, size: number) => ({
    x: data.x.map((t) => tf.slice(t, [start, 0], [size, 3])),
    y: [tf.slice(data.y.digit, start, size), tf.slice(data.y.angle, [start, 0], [size, 2])],
  });
  if (!['monteCarlo', 'truncated'].includes(fisherOf(curvature)?._tag ?? '')) {
    const [a, b] = await Promise.all([part(0, 2), part(2, 3)].map((own) => pass(heads.model, BOTH, own, curvature, 2)));
    const whole = await pass(heads.model, BOTH, data, curvature, 2);
    const merged = right(merge(a as Factors, b as Factors));
    merged.layers.forEach((layer, i) => {
      expect(distance(kronecker(layer).gradient.data, kronecker(whole.layers[i]).gradient.data)).toBeLessThan(FLOAT32);
    });
  }
  await expectNoLeak(() => pass(heads.model, BOTH, data, curvature, 2));
});
