/** What the callback offers while training goes on and afterwards: batches$, factors$ and gathered(). */
import * as tf from '@tensorflow/tfjs';
import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs';
import { accumulateFactors, everyEpoch, type Factors, finalEpochs, fingerprint, kfac, type ObservedBatch } from 'tfjs-laplace';
import { type LaplaceCallback, laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection, rejection } from '../../support/errors.js';
import { expectSameFactors } from '../../support/factors.js';
import { kronecker } from '../../support/kronecker.js';
import { expectNoLeak } from '../../support/memory.js';
import { chain, dataOf, INPUTS, pair, withFixedWeights } from '../../support/networks.js';
import { surface } from '../../support/training.js';

const classes = pair('classes, softmax inside');
const EMPIRICAL = kfac({ fisher: 'empirical' });
/** Float32 sums of the same 20 products in other portions: a few times 2⁻²⁴ of the largest entry. */
const ROUNDING = 5e-7;
let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  data = dataOf(classes, 10);
});

const observer = (curvature = EMPIRICAL, epochs = everyEpoch()) =>
  laplaceCallback({ likelihood: classes.likelihood, curvature, epochs });

const train = (model: tf.LayersModel, callbacks: unknown, more: tf.ModelFitArgs = {}) =>
  model.fit(data.x, data.y, { epochs: 2, batchSize: 4, shuffle: false, verbose: 0, callbacks: callbacks as never, ...more });

const factorsOf = (callback: LaplaceCallback): Promise<Factors> => lastValueFrom(callback.factors$);

describe('factors$', () => {
  it('can be subscribed to before, during and after training', async () => {
    const callback = observer();
    const before = factorsOf(callback);
    let during: Promise<Factors> | undefined;
    const early = new tf.CustomCallback({
      onBatchEnd: () => {
        during ??= factorsOf(callback);
      },
    });
    await train(chain(classes), [callback, early]);
    const after = await factorsOf(callback);
    expect(await before).toBe(after);
    expect(await during).toBe(after);
    expect(await callback.gathered()).toBe(after);
  });

  it('is that of the latest training', async () => {
    const model = chain(classes);
    const callback = observer();
    await train(model, callback);
    const first = await factorsOf(callback);
    await train(model, callback, { epochs: 3 });
    const second = await factorsOf(callback);
    expect([first.count, second.count]).toEqual([20, 30]);
    expect(second.fingerprint).toBe(await fingerprint(model));
    expect(second.fingerprint).not.toBe(first.fingerprint);
  });

  it('of two models that train at once are their own', async () => {
    const models = [chain(classes), withFixedWeights(chain(classes), 9)];
    const callbacks = models.map(() => observer());
    await Promise.all(models.map((model, i) => train(model, callbacks[i])));
    for (const [i, model] of models.entries()) {
      const alone = observer();
      const twin = i === 0 ? chain(classes) : withFixedWeights(chain(classes), 9);
      await train(twin, alone);
      expectSameFactors(await factorsOf(callbacks[i] as LaplaceCallback), await factorsOf(alone), 0);
      expect(await fingerprint(model)).toBe(await fingerprint(twin));
    }
  });
});

describe('batches$', () => {
  it('carries each batch while its step lasts: inputs and labels are those of the data', async () => {
    const callback = observer();
    const seen = lastValueFrom(
      callback.batches$.pipe(
        map((batch) =>
          batch.use(({ x, y }) =>
            [...(x[0] as tf.Tensor).dataSync(), ...(y[0] as tf.Tensor).dataSync()].map((v) => tf.scalar(v)),
          ),
        ),
        map((scalars) => tf.tidy(() => scalars.map((s) => s.dataSync()[0] as number))),
        toArray(),
      ),
    );
    await train(chain(classes), callback, { epochs: 1 });
    const rows = (t: tf.Tensor, start: number, size: number) => [...t.slice([start], [size]).dataSync()];
    expect(await seen).toEqual(
      [0, 4, 8].map((start) => [
        ...rows(data.x, start, Math.min(4, 10 - start)),
        ...rows(data.y, start, Math.min(4, 10 - start)),
      ]),
    );
  });

  it('feeds another estimator, which comes to what a callback of its own would', async () => {
    const exact = kfac({ fisher: 'exact' });
    const [own, beside] = [observer(), observer(exact)];
    const other = lastValueFrom(own.batches$.pipe(accumulateFactors(exact)));
    await train(chain(classes), [own, beside]);
    const expected = await factorsOf(beside);
    expectSameFactors(await other, expected, ROUNDING);
    expect((await other).fingerprint).toBe(expected.fingerprint);
  });

  it('feeds the empirical rows of fewer layers, without a pass of its own', async () => {
    const last = kfac({ fisher: 'empirical', layers: 'last' });
    const [own, beside] = [observer(), observer(last)];
    const other = lastValueFrom(own.batches$.pipe(accumulateFactors(last)));
    await train(chain(classes), [own, beside]);
    expectSameFactors(await other, await factorsOf(beside), ROUNDING);
  });

  it('gives batches that cannot be used later', async () => {
    const callback = observer();
    const first = firstValueFrom(callback.batches$);
    await train(chain(classes), callback);
    const batch: ObservedBatch = await first;
    expect(batch.transient).toBe(true);
    expect(() => batch.use(() => tf.scalar(1))).toThrow(expect.objectContaining({ kind: 'NotReady' }));
  });

  it('has a consumer that fails or leaves: training and factors are what they would be', async () => {
    const boom = new Error('boom');
    const [model, callback] = [chain(classes), observer()];
    const failing = lastValueFrom(
      callback.batches$.pipe(
        map(() => {
          throw boom;
        }),
      ),
    );
    const leaving = lastValueFrom(callback.batches$.pipe(take(1), accumulateFactors(kfac())));
    const caught = rejection(failing);
    await train(model, callback);
    expect(await caught).toBe(boom);
    expect((await leaving).count).toBe(4);
    const [twin, alone] = [chain(classes), observer()];
    await train(twin, alone);
    expectSameFactors(await factorsOf(callback), await factorsOf(alone), 0);
    expect(await fingerprint(model)).toBe(await fingerprint(twin));
  });

  it('leaves nothing on the device', async () => {
    const model = chain(classes);
    await expectNoLeak(async () => {
      const callback = observer();
      const other = lastValueFrom(callback.batches$.pipe(accumulateFactors(kfac())));
      const leaving = lastValueFrom(callback.batches$.pipe(take(2), accumulateFactors(kfac())));
      const subscription = callback.batches$.pipe(accumulateFactors(kfac())).subscribe();
      const stop = new tf.CustomCallback({ onEpochEnd: () => subscription.unsubscribe() });
      await train(model, [callback, stop]);
      await Promise.all([other, leaving]);
    });
  });
});

describe('gathered()', () => {
  it('is nothing before training, and everything after it', async () => {
    const callback = observer();
    expect(await callback.gathered()).toBeUndefined();
    await train(chain(classes), callback);
    expect(await callback.gathered()).toBe(await factorsOf(callback));
  });

  it('is of one moment, whenever it is asked for, and disturbs nothing', async () => {
    const [model, callback] = [chain(classes), observer()];
    const asked: Array<Promise<Factors | undefined>> = [];
    const ask = () => void asked.push(callback.gathered());
    const hooks = { onBatchBegin: ask, onBatchEnd: ask, onEpochBegin: ask, onEpochEnd: ask, onTrainEnd: ask };
    // Asked for, but not waited for.
    await train(model, [new tf.CustomCallback(hooks), callback, new tf.CustomCallback(hooks)]);
    const found = await Promise.all(asked);
    const counts = found.map((factors) => factors?.count ?? 0);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(new Set(counts)).toEqual(new Set([0, 4, 8, 10, 14, 18, 20]));
    // The inputs' last coordinate is 1, so the corner of their sum counts the examples that it holds.
    expect(found.map((factors) => (factors ? kronecker(factors.layers[0]).input.data.at(-1) : 0))).toEqual(counts);
    expect(found.map((factors) => (factors ? kronecker(factors.layers[1]).input.data.at(-1) : 0))).toEqual(counts);
    const [twin, alone] = [chain(classes), observer()];
    await train(twin, alone);
    expectSameFactors(await factorsOf(callback), await factorsOf(alone), ROUNDING);
    expect(await fingerprint(model)).toBe(await fingerprint(twin));
  });

  it('counts the epochs that factors$ would', async () => {
    const callback = observer(EMPIRICAL, finalEpochs(1, { stopsEarly: true }));
    const counts: Array<number | undefined> = [];
    const ask = new tf.CustomCallback({ onBatchEnd: async () => void counts.push((await callback.gathered())?.count) });
    await train(chain(classes), [callback, ask]);
    expect(counts).toEqual([4, 8, 10, 14, 18, 20]);
    expect((await callback.gathered())?.count).toBe(10);
  });
});

describe('bad data in a batch', () => {
  it.each([
    [
      'NaN inputs',
      (i: number) => ({ xs: i === 4 ? tf.fill([2, INPUTS], Number.NaN) : tf.ones([2, INPUTS]), ys: tf.oneHot([0, 1], 3) }),
      'NotFinite',
      'x',
    ],
    [
      'NaN labels',
      (i: number) => ({ xs: tf.ones([2, INPUTS]), ys: i === 4 ? tf.fill([2, 3], Number.NaN) : tf.oneHot([0, 1], 3) }),
      'NotFinite',
      'y',
    ],
    [
      'labels out of range',
      (i: number) => ({ xs: tf.ones([2, INPUTS]), ys: i === 4 ? tf.fill([2, 3], 2) : tf.oneHot([0, 1], 3) }),
      'InvalidLabels',
      'y',
    ],
  ] as const)('%s: training goes on, factors$ says where, what is sound stays', async (_, element, kind, field) => {
    const model = chain(classes, { optimizer: tf.train.sgd(0.01) });
    await train(model, []);
    const before = surface(model);
    const callback = observer();
    let served = 0;
    // Three batches of 2 an epoch: the fifth is batch 1 of epoch 1.
    const dataset = {
      iterator: async () => {
        let left = 3;
        return { next: async () => (left-- > 0 ? { value: element(served++), done: false } : { value: null, done: true }) };
      },
    };
    const run = () => model.fitDataset(dataset as never, { epochs: 3, verbose: 0, callbacks: callback });
    const batches = rejection(lastValueFrom(callback.batches$));
    const { epoch } = await run();
    expect(epoch).toEqual([0, 1, 2]);
    const error = await expectRejection(factorsOf(callback), kind, { field });
    expect(error.message).toContain('batch 1 of epoch 1');
    expect(await batches).toBe(error);
    const gathered = (await callback.gathered()) as Factors;
    expect(gathered.count).toBe(8);
    expect(
      gathered.layers.map(kronecker).every(({ input, gradient }) => [...input.data, ...gradient.data].every(Number.isFinite)),
    ).toBe(true);
    // They stand for the weights at the end of training, so that a posterior can be made of them.
    expect(gathered.fingerprint).toBe(await fingerprint(model));
    expect(surface(model)).toEqual(before);
    await expectNoLeak(async () => {
      served = 0;
      await run();
    });
  });
});

it('an observation that cannot be finished leaves training alone', async () => {
  for (const hook of ['onEpochEnd', 'onTrainEnd']) {
    const [model, callback] = [chain(classes), observer()];
    const { epoch } = await train(model, [new tf.CustomCallback({ [hook]: () => void model.dispose() }), callback], {
      epochs: 1,
    });
    expect(epoch).toEqual([0]);
    await expectRejection(factorsOf(callback), 'InvalidModel');
  }
});
