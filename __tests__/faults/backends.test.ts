/** The backend changes between two steps, or in the middle of one: the numbers stay, up to float32 rounding. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, tap, toArray } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  everyEpoch,
  type Factors,
  functionSampling,
  kfac,
  lowRank,
  observe,
  type Posterior,
  type Predictive,
  predict,
  sampleModels,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { load } from '../support/backend.js';
import { distance, expectSameFactors } from '../support/factors.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');
/** Sums of a dozen products of numbers of order 1, in another order: some units of 2⁻²⁴, through an inverse that enlarges them. */
const FLOAT32 = 1e-5;

let [first, second] = ['', ''];
beforeAll(() => {
  first = load(process.env.LAPLACE_BACKEND);
  second = first === 'wasm' ? load('cpu') : load('wasm');
});
const use = async (backend: string): Promise<void> => {
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} does not start`);
};
afterEach(() => use(first));

/** Model and data live on the first backend. */
const made = async () => {
  await use(first);
  return { model: chain(classes), ...dataOf(classes, 12) };
};
type Made = Awaited<ReturnType<typeof made>>;
const summed = (
  { model, x, y }: Made,
  curvature: Curvature = kfac(),
  onDone: (done: number) => void = () => {},
): Promise<Factors> =>
  lastValueFrom(
    from(batches({ x, y }, 4)).pipe(
      observe(model, classes.likelihood),
      accumulateFactors(curvature, { onProgress: ({ done }) => onDone(done) }),
    ),
  );
const posteriorOf = (factors: Factors): Promise<Posterior> => lastValueFrom(of(factors).pipe(toPosterior()));
const predicted = async (
  { model, x }: Made,
  posterior: Posterior,
  predictive?: Predictive,
  onDone: (done: number) => void = () => {},
): Promise<ReadonlyArray<Float32Array>> => {
  const source = from([x, x, x]);
  const options = { onProgress: ({ done }: { done: number }) => onDone(done) };
  const all = await lastValueFrom(source.pipe(predict(model, posterior, predictive, options), toArray()));
  return all.flatMap((one) => (one._tag === 'classification' ? one.probabilities : []));
};
const same = (found: ReadonlyArray<Float32Array>, expected: ReadonlyArray<Float32Array>): void => {
  expect(found).toHaveLength(expected.length);
  expected.forEach((row, i) => expect(distance(found[i] as Float32Array, row)).toBeLessThan(FLOAT32));
};
/** Changes the backend after the first of several. */
const changing = (done: number): void => {
  if (done === 1) void tf.setBackend(second);
};

it.each<[string, Curvature, Predictive | undefined]>([
  ['linearised', kfac(), undefined],
  ['weight sampling', kfac(), weightSampling({ samples: 3, seed: 2 })],
  ['function sampling', kfac(), functionSampling({ samples: 3, seed: 2 })],
  ['linearised, low rank', lowRank({ rank: 1 }), undefined],
])('between observing, the posterior and predicting: %s', async (_, curvature, predictive) => {
  const own = await made();
  const posterior = await posteriorOf(await summed(own, curvature));
  const expected = await predicted(own, posterior, predictive);
  await use(second);
  same(await predicted(own, posterior, predictive), expected);
  same(await predicted(own, await posteriorOf(await summed(own, curvature)), predictive), expected);
  await use(first);
  same(await predicted(own, posterior, predictive), expected);
});

it('while batches are summed', async () => {
  const expected = await summed(await made());
  const own = await made();
  const before = tf.memory().numTensors;
  expectSameFactors(await summed(own, kfac(), changing), expected, FLOAT32);
  expect(tf.getBackend()).toBe(second);
  expect(tf.memory().numTensors).toBe(before);
});

it('while batches are predicted', async () => {
  const own = await made();
  const posterior = await posteriorOf(await summed(own));
  for (const predictive of [undefined, weightSampling({ samples: 3, seed: 2 })]) {
    await use(first);
    const expected = await predicted(own, posterior, predictive);
    const before = tf.memory().numTensors;
    same(await predicted(own, posterior, predictive, changing), expected);
    expect(tf.getBackend()).toBe(second);
    expect(tf.memory().numTensors).toBe(before);
  }
});

it('while networks are sampled', async () => {
  const own = await made();
  const posterior = await posteriorOf(await summed(own));
  const drawn = async (onDraw: (s: number) => void): Promise<Float32Array[]> => {
    let s = 0;
    const stream = of(posterior).pipe(
      sampleModels(own.model, { samples: 4, seed: 5 }),
      tap(() => onDraw(++s)),
      toArray(),
    );
    const members = await lastValueFrom(stream);
    return members.flatMap((member) => {
      const weights = member.getWeights().map((w) => w.dataSync() as Float32Array);
      member.dispose();
      return weights;
    });
  };
  const expected = await drawn(() => {});
  same(await drawn(changing), expected);
});

it('between two epochs of an observed training', async () => {
  const trained = async (onEpochEnd: () => Promise<void>): Promise<Factors> => {
    const { model, x, y } = await made();
    const callback = laplaceCallback({ likelihood: classes.likelihood, epochs: everyEpoch() });
    const change = new tf.CustomCallback({ onEpochEnd });
    await model.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false, verbose: 0, callbacks: [change, callback] });
    return lastValueFrom(callback.factors$);
  };
  const expected = await trained(async () => {});
  expectSameFactors(await trained(() => use(second)), expected, FLOAT32);
});
