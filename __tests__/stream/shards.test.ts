/** Shards of a data set: their factors add up to those of one pass, whatever draws or cuts an estimator makes in a batch. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  empirical,
  type Factors,
  kfac,
  kfra,
  merge,
  monteCarlo,
  observe,
  type Posterior,
  shardsOf,
  truncated,
} from 'tfjs-laplace';
import { matricesOf } from '../support/factors.js';
import { posteriorFrom, right } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { relativeError } from '../support/math/numbers.js';

const N = 38;
const BATCH = 4;
let model: tf.LayersModel;
let x: tf.Tensor;
let y: tf.Tensor1D;
beforeAll(() => {
  model = chain([5, 6, 3]);
  [x] = inputsFor(model, N, 2) as [tf.Tensor];
  y = tf.range(0, N).mod(3).toInt() as tf.Tensor1D;
});

/** The factors of some examples. Without `firstBatch` the batches are counted from 0 in each shard. */
const factorsOf = (curvature: Curvature, first: number, end: number, firstBatch = 0, basis?: Posterior): Promise<Factors> => {
  const data = { x: x.slice([first], [end - first]), y: y.slice(first, end - first) };
  const part = { dataset: 'data', first };
  const options = basis === undefined ? { part } : { part, basis };
  return lastValueFrom(
    from(batches(data, BATCH)).pipe(observe(model, categorical(), { firstBatch }), accumulateFactors(curvature, options)),
  );
};

const summed = async (curvature: Curvature, size: number, numbered: boolean, basis?: Posterior): Promise<Factors> => {
  let sum: Factors | undefined;
  for (const { first, end, firstBatch } of shardsOf(N, { size, batchSize: BATCH })) {
    const next = await factorsOf(curvature, first, end, numbered ? firstBatch : 0, basis);
    sum = sum === undefined ? next : right(merge(sum, next));
  }
  return sum as Factors;
};

const worst = (a: Factors, b: Factors): number =>
  Math.max(
    ...a.layers.flatMap((layer, l) =>
      Object.entries(matricesOf(layer)).map(([part, own]) => relativeError(own, matricesOf(b.layers[l])[part] as typeof own)),
    ),
  );

/** Sums of float32 rows in another order. */
const ROUNDING = 1e-6;

const CURVATURES: Readonly<Record<string, Curvature>> = {
  exact: kfac(),
  monteCarlo: kfac({ fisher: monteCarlo({ samples: 2, seed: 5 }) }),
  truncated: kfac({ fisher: truncated({ tolerance: 0.3 }) }),
  empirical: kfac({ fisher: empirical() }),
  'diagonal, monteCarlo': diagonal({ fisher: monteCarlo({ seed: 9 }) }),
  kfra: kfra(),
};

describe.each(Object.keys(CURVATURES))('%s', (name) => {
  const curvature = CURVATURES[name] as Curvature;

  it.each([4, 8, 12, 36])('in shards of %i examples is what it is in one pass', async (size) => {
    const whole = await factorsOf(curvature, 0, N);
    const sum = await summed(curvature, size, true);
    expect(worst(sum, whole)).toBeLessThan(ROUNDING);
    expect([sum.count, sum.datasetSize, sum.rows]).toEqual([whole.count, whole.datasetSize, whole.rows]);
    expect(sum.logLikelihood).toBeCloseTo(whole.logLikelihood, 5);
    expect([sum.parts, whole.parts]).toEqual([[{ dataset: 'data', first: 0, end: N }], [{ dataset: 'data', first: 0, end: N }]]);
  });
});

it('monteCarlo draws something else if each shard counts its batches from 0', async () => {
  const curvature = CURVATURES.monteCarlo as Curvature;
  expect(worst(await summed(curvature, 8, false), await factorsOf(curvature, 0, N))).toBeGreaterThan(0.01);
});

it('ekfac in the basis of a posterior', async () => {
  const basis = await posteriorFrom(await factorsOf(kfac(), 0, 12), { priorPrecision: 1 });
  const own = ekfac({ fisher: monteCarlo({ seed: 3 }) });
  const whole = await factorsOf(own, 0, N, 0, basis);
  expect(worst(await summed(own, 12, true, basis), whole)).toBeLessThan(ROUNDING);
});

describe('shardsOf', () => {
  it('cuts where a batch begins', () => {
    expect(shardsOf(10, { size: 4, batchSize: 3 })).toEqual([
      { first: 0, end: 6, firstBatch: 0 },
      { first: 6, end: 10, firstBatch: 2 },
    ]);
    expect(shardsOf(3, { size: 100, batchSize: 8 })).toEqual([{ first: 0, end: 3, firstBatch: 0 }]);
    expect(shardsOf(6, { size: 3, batchSize: 3 })).toHaveLength(2);
  });

  it('refuses what are no counts', () => {
    for (const [n, size, batchSize] of [
      [0, 1, 1],
      [1.5, 1, 1],
      [3, 0, 1],
      [3, 1, -1],
    ] as const) {
      expect(() => shardsOf(n, { size, batchSize })).toThrow(/integer/);
    }
    expect(() => shardsOf(3, { size: 1, batchSize: 1, first: 2 } as never)).toThrow(/first/);
  });
});

describe('firstBatch', () => {
  it('is the number that errors name', async () => {
    const bad = [{ x: tf.fill([2, 3], Number.NaN), y: tf.tensor1d([0, 1], 'int32') }];
    const pass = from(bad).pipe(observe(model, categorical(), { firstBatch: 7 }), accumulateFactors());
    await expect(lastValueFrom(pass)).rejects.toThrow(/batch 7/);
  });

  it('is no fraction, and no other option is known', () => {
    expect(() => observe(model, categorical(), { firstBatch: 0.5 })).toThrow(/firstBatch/);
    expect(() => observe(model, categorical(), { first: 1 } as never)).toThrow(/first/);
  });
});

it('a part counts the examples of batches, with weights of 0 and skipped ones', async () => {
  const good = { x: tf.ones([2, 3]), y: tf.tensor1d([0, 1], 'int32'), weights: tf.tensor1d([0, 3]) };
  const bad = { x: tf.fill([3, 3], Number.NaN), y: tf.tensor1d([0, 1, 2], 'int32') };
  const pass = from([good, bad, good]).pipe(
    observe(model, categorical()),
    accumulateFactors(kfac(), { part: { dataset: 'data', first: 10 }, onNotFinite: 'skip' }),
  );
  const factors = await lastValueFrom(pass);
  expect([factors.count, factors.parts]).toEqual([6, [{ dataset: 'data', first: 10, end: 17 }]]);
});
