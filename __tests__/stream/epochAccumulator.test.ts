/** The accumulator that a training and a pass have in common, by itself: no training, no stream. */
import * as tf from '@tensorflow/tfjs';
import { everyEpoch, type Factors, finalEpochs, fingerprint, kfac, type ObservedBatch, type Progress } from 'tfjs-laplace';
import {
  type BatchTensors,
  createEpochAccumulator,
  type EpochAccumulator,
  type EpochAccumulatorOptions,
  type Network,
  readNetwork,
  transientBatch,
} from 'tfjs-laplace/extend';
import { orThrow } from '../../src/orThrow.js';
import { observedBatch } from '../../src/stream/observed.js';
import { expectRejection } from '../support/errors.js';
import { expectSameFactors, pass } from '../support/factors.js';
import { expectNoLeak } from '../support/memory.js';
import { chain, dataOf, INPUTS, pair, withFixedWeights } from '../support/networks.js';

const classes = pair('classes, softmax inside');
const EXAMPLES = 10;
/** Float32 sums of the same products in other portions: a few times 2⁻²⁴ of the largest entry (see accumulateFactors.test.ts). */
const ROUNDING = 2e-6;
const CURVATURE = kfac();
const EMPTY = { what: 'Nothing was observed', field: 'epochs' };

const model = () => chain(classes);
const networkOf = (own: tf.LayersModel): Network => orThrow(readNetwork(own, classes.likelihood));
const accumulatorOf = (options: Partial<EpochAccumulatorOptions> = {}): EpochAccumulator =>
  createEpochAccumulator({ curvature: CURVATURE, epochs: everyEpoch(), announced: 4, empty: () => EMPTY, ...options });

type Data = ReturnType<typeof dataOf>;

/** The data of epoch e: scaled, so that epochs differ while the weights stand still. */
const dataIn = (e: number): Data => {
  const { x, y } = dataOf(classes, EXAMPLES);
  return { x: x.mul(1 + e), y };
};

const part = ({ x, y }: Data, start: number, size: number): Data => ({
  x: x.slice([start], [Math.min(size, EXAMPLES - start)]),
  y: y.slice([start], [Math.min(size, EXAMPLES - start)]),
});

const starts = (size: number): ReadonlyArray<number> => Array.from({ length: Math.ceil(EXAMPLES / size) }, (_, i) => i * size);

/** Takes a part of an epoch as the batches of training steps. */
async function observeEpoch(accumulator: EpochAccumulator, network: Network, epoch: number, size = 4, most = Infinity) {
  const data = dataIn(epoch);
  for (const [index, start] of starts(size).slice(0, most).entries()) {
    const { x, y } = part(data, start, size);
    const { batch, expire } = transientBatch(network, { epoch, index }, { x: [x], y: [y] });
    const settle = accumulator.take(batch);
    expire();
    tf.dispose([x, y]);
    await settle();
  }
}

/** A batch that counts how often its tensors are asked for. */
function counted(network: Network, transient: boolean, tensors: () => BatchTensors) {
  const use = jest.fn((f: (t: BatchTensors) => tf.TensorContainer) => tf.tidy(() => f(tensors())));
  return { use, batch: { network, epoch: 0, index: 0, transient, use } as unknown as ObservedBatch };
}

const tensorsOf =
  ({ x, y }: Data) =>
  (): BatchTensors => ({ x: [x], y: [y] });

describe('the factors at the end', () => {
  it.each([1, 2, 3])('are those of the last %s whole epochs, of one data set', async (k) => {
    const own = model();
    const accumulator = accumulatorOf({ epochs: finalEpochs(k) });
    for (const e of [0, 1, 2]) {
      await observeEpoch(accumulator, networkOf(own), e);
      await accumulator.endEpoch(false);
    }
    // Training is stopped in the middle of this epoch.
    await observeEpoch(accumulator, networkOf(own), 3, 4, 1);
    await accumulator.endEpoch(true);
    const found = await accumulator.end();
    const all = [0, 1, 2].slice(-k).map(dataIn);
    const joined = { x: tf.concat(all.map(({ x }) => x)), y: tf.concat(all.map(({ y }) => y)) };
    expectSameFactors(found, await pass(own, classes.likelihood, joined, CURVATURE), ROUNDING);
    expect(found).toMatchObject({ count: k * EXAMPLES, datasetSize: EXAMPLES });
    expect(await accumulator.gathered()).toBe(found);
  });

  it('do not depend on how an epoch is cut into batches', async () => {
    const own = model();
    const of = async (size: number): Promise<Factors> => {
      const accumulator = accumulatorOf();
      for (const e of [0, 1]) {
        await observeEpoch(accumulator, networkOf(own), e, size);
        await accumulator.endEpoch(false);
      }
      return accumulator.end();
    };
    const whole = await of(EXAMPLES);
    for (const size of [1, 3, 4]) expectSameFactors(await of(size), whole, ROUNDING);
  });

  it('of one epoch are those of a pass, to the last bit, whether anybody ends the epoch or not', async () => {
    const own = model();
    const expected = await pass(own, classes.likelihood, dataIn(0), CURVATURE, 4);
    for (const ended of [false, true]) {
      const accumulator = accumulatorOf();
      await observeEpoch(accumulator, networkOf(own), 0);
      if (ended) await accumulator.endEpoch(false);
      expect(await accumulator.end()).toEqual(expected);
    }
  });

  it('stand for the weights at the end, with the sums of the weights before', async () => {
    const own = model();
    const accumulator = accumulatorOf();
    await observeEpoch(accumulator, networkOf(own), 0);
    const before = await accumulator.gathered();
    await accumulator.endEpoch(false);
    withFixedWeights(own, 9);
    const found = await accumulator.end();
    expect(found.fingerprint).toBe(await fingerprint(own));
    expect(found.weights).toEqual((await pass(own, classes.likelihood, dataIn(0), CURVATURE)).weights);
    expect(found).toEqual({ ...before, fingerprint: found.fingerprint, weights: found.weights });
    expect(found.fingerprint).not.toBe(before?.fingerprint);
  });

  it('are an error when there was no batch, with and without a network', async () => {
    await expectRejection(accumulatorOf().end(), 'Empty', { field: 'epochs' });
    const accumulator = accumulatorOf();
    accumulator.bind(networkOf(model()));
    await accumulator.endEpoch(true);
    const error = await expectRejection(accumulator.end(), 'Empty', { field: 'epochs' });
    expect(error.message).toContain(EMPTY.what);
    expect(await accumulator.gathered()).toBeUndefined();
  });

  it('of examples that all have weight 0 count none of them', async () => {
    const accumulator = accumulatorOf();
    const { x, y } = dataIn(0);
    await accumulator.take(observedBatch(networkOf(model()), { x, y, weights: tf.zeros([EXAMPLES]) }, 0))();
    expect(await accumulator.end()).toMatchObject({ count: 0, datasetSize: 0 });
  });
});

it('gathers what may count and the present epoch', async () => {
  const network = networkOf(model());
  const accumulator = accumulatorOf({ epochs: finalEpochs(1) });
  const count = async () => (await accumulator.gathered())?.count;
  expect(await count()).toBeUndefined();
  await observeEpoch(accumulator, network, 0);
  expect(await count()).toBe(10);
  await accumulator.endEpoch(false);
  expect(await count()).toBe(10);
  await observeEpoch(accumulator, network, 1, 4, 2);
  expect(await count()).toBe(18);
  await accumulator.endEpoch(true);
  expect(await count()).toBe(10);
});

it('reports every batch that counts, across epochs', async () => {
  const events: Progress[] = [];
  const onProgress = (event: Progress) => events.push(event);
  const accumulator = accumulatorOf({ total: 6, detail: (epoch) => `epoch ${epoch}`, onProgress });
  const network = networkOf(model());
  for (const e of [0, 1]) {
    await observeEpoch(accumulator, network, e);
    await accumulator.endEpoch(false);
  }
  const expected = [1, 2, 3, 4, 5, 6].map((done) => ({ done, detail: `epoch ${done <= 3 ? 0 : 1}` }));
  expect(events).toEqual(expected.map((parts) => ({ phase: 'observe', total: 6, unit: 'batches', ...parts })));
});

describe('taking a batch', () => {
  it('adds it at once when its tensors live only now, else when its turn comes', async () => {
    const network = networkOf(model());
    const accumulator = accumulatorOf();
    const [now, later] = [counted(network, true, tensorsOf(dataIn(0))), counted(network, false, tensorsOf(dataIn(1)))];
    const works = [now, later].map(({ batch }) => accumulator.take(batch));
    expect([now.use.mock.calls.length, later.use.mock.calls.length]).toEqual([1, 0]);
    for (const work of works) await work();
    expect([now.use.mock.calls.length, later.use.mock.calls.length]).toEqual([1, 1]);
    expect((await accumulator.end()).count).toBe(2 * EXAMPLES);
  });

  it.each([true, false])('tells what is wrong with it where its work is waited for (transient: %s)', async (transient) => {
    const network = networkOf(model());
    const accumulator = accumulatorOf();
    await observeEpoch(accumulator, network, 0);
    const nan = { x: tf.fill([2, INPUTS], Number.NaN), y: classes.labels(2) };
    const bad = counted(network, transient, tensorsOf(nan));
    await expectRejection(accumulator.take(bad.batch)(), 'NotFinite', { field: 'x' });
    const foreign = counted(networkOf(model()), transient, tensorsOf(dataIn(0)));
    await expectRejection(accumulator.take(foreign.batch)(), 'Mismatch', { field: 'model' });
    expect(await accumulator.gathered()).toMatchObject({ count: EXAMPLES });
  });

  it('refuses a network that the estimator does not suit, before the first batch', () => {
    const accumulator = accumulatorOf({ curvature: kfac({ layers: ['other'] }) });
    expect(() => accumulator.bind(networkOf(model()))).toThrow(expect.objectContaining({ kind: 'NoBayesianLayer' }));
  });
});

describe('an early end', () => {
  it('keeps what was gathered, takes no more, and stands for the weights of the time that it is told', async () => {
    const own = model();
    const network = networkOf(own);
    const accumulator = accumulatorOf({ epochs: finalEpochs(1) });
    await observeEpoch(accumulator, network, 0);
    await accumulator.endEpoch(false);
    await observeEpoch(accumulator, network, 1, 4, 1);
    accumulator.stop();
    const late = counted(network, true, tensorsOf(dataIn(0)));
    await accumulator.take(late.batch)();
    expect(late.use).not.toHaveBeenCalled();
    const kept = (await accumulator.gathered()) as Factors;
    expect(kept.count).toBe(14);
    expect(kept.fingerprint).toBe(await fingerprint(own));
    withFixedWeights(own, 9);
    expect(await accumulator.gathered()).toBe(kept);
    accumulator.moveToPresentWeights();
    const moved = (await accumulator.gathered()) as Factors;
    expect(moved.fingerprint).toBe(await fingerprint(own));
    expect(moved.layers).toEqual(kept.layers);
  });

  it('leaves nothing on the device, whatever is in work', async () => {
    const network = networkOf(model());
    const data = dataIn(0);
    await expectNoLeak(async () => {
      for (const close of ['stop', 'dispose'] as const) {
        const accumulator = accumulatorOf();
        // One batch is in work, another one waits for its checks.
        const works = [0, 1].map(() => accumulator.take(counted(network, true, tensorsOf(data)).batch));
        const work = works[0]?.();
        await accumulator[close]();
        await work;
        await works[1]?.();
        await accumulator.gathered();
      }
    });
  });

  it('that forgets everything has gathered nothing', async () => {
    const accumulator = accumulatorOf();
    await observeEpoch(accumulator, networkOf(model()), 0);
    await accumulator.dispose();
    expect(await accumulator.gathered()).toBeUndefined();
  });
});
