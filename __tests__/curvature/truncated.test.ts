/**
 * `truncated` keeps the largest columns of Λ: what it leaves out is positive semi-definite, and less than its tolerance of the trace in
 * the outputs. The G of a last dense layer is the mean of Λ over examples itself, so that there both can be seen to the digit.
 */
import * as tf from '@tensorflow/tfjs';
import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix';
import {
  bernoulli,
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  type Factors,
  full,
  gaussian,
  heteroscedastic,
  isKronecker,
  kfac,
  kfra,
  type Likelihood,
  perStep,
  poisson,
  type TensorData,
} from 'tfjs-laplace';
import { expectSameFactors, pass } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { dataFor } from '../support/math/laplace.js';
import { softmax } from '../support/math/likelihoods64.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { inRows } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { ZOO, type ZooCase, zooInputs } from '../support/zoo.js';

withWasmKernels();

/** Float32 sums of a few dozen rows that went back through up to four layers. */
const FLOAT32 = 2e-5;
/** The same of a trace alone, a sum of 72 numbers. */
const ROUNDING = 1e-6;
const N = 12;
const BATCH = 4;

const truncated = (tolerance: number) => kfac({ fisher: { _tag: 'truncated', tolerance } });

/** A classifier that is sure of most inputs, as trained ones are. */
function confident(C: number, scale = 6): tf.LayersModel {
  const model = chain([8, C]);
  const [first, bias, kernel, last] = model.getWeights() as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  tf.tidy(() => model.setWeights([first, bias, tf.mul(kernel, scale), last]));
  return model;
}

/** ‖λ‖² of every column of every example's Λ: p_c ‖e_c − p‖². */
const norms = (model: tf.LayersModel, x: ReadonlyArray<tf.Tensor>): number[][] =>
  ((model.predict(x[0] as tf.Tensor) as tf.Tensor).arraySync() as number[][]).map((f) => {
    const p = softmax(f);
    return p.map((own, c) => own * p.reduce((sum, v, i) => sum + (v - (i === c ? 1 : 0)) ** 2, 0));
  });

/** How many are kept of a batch when the smallest go while they add up to less than the tolerance. */
function kept(batch: ReadonlyArray<number>, tolerance: number): number {
  const trace = batch.reduce((a, b) => a + b, 0);
  const sorted = [...batch].sort((a, b) => a - b);
  let dropped = 0;
  return sorted.filter((v) => {
    dropped += v;
    return dropped >= tolerance * trace;
  }).length;
}

const traceOf = ({ data, cols }: { readonly data: Float64Array; readonly cols: number }): number =>
  Array.from({ length: cols }, (_, i) => data[i * cols + i] as number).reduce((a, b) => a + b, 0);

/** Trace of the last layer's sum: Σ over examples of the trace of what was kept of Λ. */
const lastTrace = ({ layers }: Factors): number => traceOf(kronecker(layers.at(-1)).gradient);

const LIKELIHOODS: ReadonlyArray<readonly [string, Likelihood]> = [
  ['categorical', categorical()],
  ['bernoulli', bernoulli()],
  ['gaussian', gaussian({ noiseVariance: [0.3, 0.8, 1.5, 0.1, 7, 40] })],
  ['heteroscedastic', heteroscedastic()],
  ['poisson', poisson()],
];

describe.each(LIKELIHOODS)('%s', (_, likelihood) => {
  it.each([1e-3, 0.047, 0.6])('falls short of the trace by less than %d of it, and sends fewer rows back', async (tolerance) => {
    const model = confident(6);
    const { x, y } = dataFor(model, likelihood, N);
    const weights = tf.tensor1d(Array.from({ length: N }, (_, i) => [1, 0.2, 3, 0][i % 4] as number));
    for (const data of [
      { x, y },
      { x, y, weights },
    ]) {
      const [exact, found] = (await Promise.all(
        [kfac(), truncated(tolerance)].map((curvature) => pass(model, likelihood, data, curvature, BATCH)),
      )) as [Factors, Factors];
      const short = 1 - lastTrace(found) / lastTrace(exact);
      expect(short).toBeGreaterThan(-ROUNDING);
      expect(short).toBeLessThan(tolerance + ROUNDING);
      expect(found.rows).toBeLessThan(exact.rows);
      // What depends on no gradient is what it was.
      expect(kronecker(found.layers[0]).input).toEqual(kronecker(exact.layers[0]).input);
      expect([found.count, found.logLikelihood]).toEqual([exact.count, exact.logLikelihood]);
    }
  });
});

it.each([0, 1e-3, 0.05, 0.3, 0.9])('keeps the rows that the definition keeps of every batch: %d', async (tolerance) => {
  const model = confident(10);
  const { x, y } = dataFor(model, categorical(), N);
  const weights = Array.from({ length: N }, (_, i) => 0.3 + (i % 5));
  const own = norms(model, x);
  for (const w of [undefined, weights]) {
    const data: TensorData = { x, y, ...(w === undefined ? {} : { weights: tf.tensor1d(w) }) };
    const { rows } = await pass(model, categorical(), data, truncated(tolerance), BATCH);
    const scaled = own.map((row, b) => row.map((v) => v * (w?.[b] ?? 1)));
    const expected = Array.from({ length: N / BATCH }, (_, i) =>
      kept(scaled.slice(i * BATCH, (i + 1) * BATCH).flat(), tolerance),
    );
    expect(rows).toBe(expected.reduce((a, b) => a + b));
  }
});

it('sends few rows back for a classifier that is sure', async () => {
  const model = confident(10, 40);
  const data = dataFor(model, categorical(), 200);
  const { rows, count } = await pass(model, categorical(), data, truncated(1e-3), 100);
  // Sure: the mean trace of Λ, 1 − Σ p², of an even choice is 0.9.
  expect(
    norms(model, data.x)
      .flat()
      .reduce((a, b) => a + b) / count,
  ).toBeLessThan(0.1);
  expect(rows / count).toBeLessThan(4);
});

it('leaves steps of sequences out that say little, and those that are masked', async () => {
  const sequence = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4, 2] })] });
  const likelihood = perStep(categorical(), { ignoreLabel: -1 });
  const [x] = inputsFor(sequence, N, 3) as [tf.Tensor];
  const y = tf.tensor2d(Array.from({ length: N }, (_, b) => [0, 1, b % 2 === 0 ? -1 : 2, -1]));
  const [exact, found, all] = (await Promise.all(
    [kfac(), truncated(0.05), truncated(1e-9)].map((curvature) => pass(sequence, likelihood, { x, y }, curvature, BATCH)),
  )) as [Factors, Factors, Factors];
  const short = 1 - lastTrace(found) / lastTrace(exact);
  expect(short).toBeGreaterThan(0);
  expect(short).toBeLessThan(0.05);
  // 12 columns an example; 3 for every masked step are 0, and Λ of three classes has three columns.
  expect([exact.rows, all.rows]).toEqual([12 * N, 3 * (2 * N + N / 2)]);
  expectSameFactors(all, { ...exact, layout: all.layout }, FLOAT32);
});

describe.each(ZOO)('$name', (zoo) => {
  const data = (model: tf.LayersModel, own: ZooCase): TensorData => {
    const C = model.outputs[0]?.shape[1] as number;
    return { x: zooInputs(own, model, N, 8), y: tf.oneHot(tf.range(0, N).mod(C).toInt(), C).toFloat() };
  };

  it('with a tolerance of 0 is exact, in every structure', async () => {
    const model = zoo.build();
    const own = data(model, zoo);
    const fisher = { _tag: 'truncated', tolerance: 0 } as const;
    const pairs: ReadonlyArray<readonly [Curvature, Curvature]> = [
      [kfac({ fisher: { _tag: 'truncated', tolerance: 0 } }), kfac()],
      [kfac({ fisher: { _tag: 'truncated', tolerance: 0 }, weightSharing: 'reduce' }), kfac({ weightSharing: 'reduce' })],
      [diagonal({ fisher }), diagonal()],
      [full({ fisher }), full()],
    ];
    for (const [ours, reference] of pairs) {
      const [found, exact] = [await pass(model, categorical(), own, ours), await pass(model, categorical(), own, reference)];
      expectSameFactors(found, { ...exact, layout: found.layout }, FLOAT32);
      expect(found.rows).toBe(exact.rows);
    }
  });

  it('is nowhere larger than exact: what is left out is positive semi-definite', async () => {
    const model = zoo.build();
    const own = data(model, zoo);
    const fisher = { _tag: 'truncated', tolerance: 0.4 } as const;
    const pairs: ReadonlyArray<readonly [Curvature, Curvature]> = [
      [truncated(0.4), kfac()],
      [diagonal({ fisher }), diagonal()],
      [full({ fisher }), full()],
    ];
    for (const [ours, reference] of pairs) {
      const [found, exact] = [await pass(model, categorical(), own, ours), await pass(model, categorical(), own, reference)];
      expect(found.rows).toBeLessThan(exact.rows);
      exact.layers.forEach((layer, i) => expectNoLarger(found.layers[i] as typeof layer, layer, reference._tag === 'full'));
    }
  });
});

type Sums = Factors['layers'][number];

/** exact − found has no eigenvalue below zero but for rounding; of a diagonal no entry. */
function expectNoLarger(found: Sums, exact: Sums, isFull: boolean): void {
  if (isKronecker(found) && isKronecker(exact)) {
    const [low, high] = isFull ? [found.input, exact.input] : [found.gradient, exact.gradient];
    const d = high.cols;
    const smallest = inRows(
      high.data.map((v, i) => v - (low.data[i] as number)),
      d * d,
    ).map((group) => Math.min(...new EigenvalueDecomposition(new MlMatrix(inRows(group, d))).realEigenvalues));
    expect(Math.min(...smallest)).toBeGreaterThan(-FLOAT32 * Math.max(...high.data));
    return;
  }
  if (found._tag !== 'diagonal' || exact._tag !== 'diagonal') throw new Error('expected diagonals');
  const largest = Math.max(...exact.squares.data);
  exact.squares.data.forEach((v, i) => expect((found.squares.data[i] as number) - v).toBeLessThan(FLOAT32 * largest));
}

it.each<[string, Curvature, number]>([
  ['exact: one for each output', kfac(), 6 * N],
  ['monteCarlo: its draws', kfac({ fisher: { _tag: 'monteCarlo', samples: 4 } }), 4 * N],
  ['empirical: one', kfac({ fisher: 'empirical' }), N],
  ['kfra: none', kfra(), 0],
  ['diagonal: as its Fisher matrix', diagonal({ fisher: { _tag: 'empirical' } }), N],
  ['full: as its Fisher matrix', full(), 6 * N],
  ['ekfac: those of the pass for the moments', ekfac(), 6 * N],
])('every estimator says how many rows it sent back. %s', async (_, curvature, rows) => {
  const model = chain([3, 6]);
  expect((await pass(model, categorical(), dataFor(model, categorical(), N), curvature)).rows).toBe(rows);
});

it('leaves nothing on the device', async () => {
  const model = confident(6);
  const data = dataFor(model, categorical(), N);
  await expectNoLeak(() => pass(model, categorical(), data, truncated(0.05)));
});
