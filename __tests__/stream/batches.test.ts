/** Sources of batches: one at a time on the device, and freed whatever happens to them. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, map, type Observable, take, tap, toArray } from 'rxjs';
import {
  accumulateFactors,
  type BatchSource,
  batches,
  type DatasetLike,
  fromDataset,
  inputBatches,
  kfac,
  type OwnedBatch,
  observe,
} from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { expectRejection, rejection } from '../support/errors.js';
import { expectSameFactors, pass } from '../support/factors.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { chain, dataOf, INPUTS, pair, tensor } from '../support/networks.js';
import { datasetOf } from '../support/training.js';

const classes = pair('classes, softmax inside');
let model: tf.LayersModel;
let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  model = chain(classes);
  data = dataOf(classes, 10);
});

describe('batches', () => {
  const shapes = (size: number) => batches(data, size).map((make) => tf.tidy(() => (make() as { y: tf.Tensor }).y.shape[0]));

  it('cuts in order, the last one smaller', () => {
    expect(shapes(4)).toEqual([4, 4, 2]);
    expect(shapes(5)).toEqual([5, 5]);
    expect(shapes(100)).toEqual([10]);
    const joined = tf.tidy(() => tf.concat(batches(data, 4).map((make) => (make() as { y: tf.Tensor }).y)).dataSync());
    expect(Array.from(joined)).toEqual(Array.from(data.y.dataSync()));
  });

  it('cuts several inputs alike', () => {
    const parts = inputBatches([data.x, tensor([10, 2, 3], 9)], 4);
    expect(tf.tidy(() => parts.map((make) => make().map((t) => t.shape)))).toEqual([
      [
        [4, 4],
        [4, 2, 3],
      ],
      [
        [4, 4],
        [4, 2, 3],
      ],
      [
        [2, 4],
        [2, 2, 3],
      ],
    ]);
  });

  it('makes nothing before it is asked', async () => {
    await expectNoLeak(() => batches(data, 4));
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a size of %s', (size) => {
    expect(() => batches(data, size)).toThrow(expect.objectContaining({ kind: 'InvalidOption', field: 'size' }));
  });

  it.each([9, 11])('refuses %s labels for 10 examples', (examples) => {
    const found = batches({ x: data.x, y: classes.labels(examples) }, 4);
    expect(found).toHaveLength(1);
    expect(found[0]).toThrow(
      expect.objectContaining({ kind: 'InvalidLabels', field: 'y', found: `${examples} labels`, expected: '10 labels' }),
    );
  });

  it('refuses inputs of different lengths', () => {
    const found = inputBatches([data.x, tensor([9, INPUTS], 1)], 4);
    expect(found).toHaveLength(1);
    expect(found[0]).toThrow(expect.objectContaining({ kind: 'InvalidInput', field: 'x', found: '10, 9 examples' }));
  });

  it('refuses labels of no example as well', () => {
    expect(batches({ x: tf.zeros([0, 2]), y: tf.zeros([3, 1]) }, 4)[0]).toThrow(
      expect.objectContaining({ kind: 'InvalidLabels', found: '3 labels' }),
    );
  });
});

/** A dataset that counts what is asked of it, and fails or hangs at an element. */
function watched(size: number, odd?: { readonly at: number; readonly next: () => Promise<IteratorResult<unknown>> }) {
  const log = { asked: 0, made: [] as tf.Tensor[] };
  const dataset: DatasetLike = {
    iterator: async () => {
      const inner = await datasetOf(data, size).iterator();
      return {
        next: async () => {
          const i = log.asked++;
          if (odd?.at === i) return odd.next();
          const result = await inner.next();
          if (!result.done) log.made.push(...Object.values(result.value as tf.NamedTensorMap));
          return result;
        },
      };
    },
  };
  return { dataset, log, live: () => log.made.filter((t) => !t.isDisposed).length };
}

const factorsOf = (source: Observable<BatchSource>) =>
  lastValueFrom(source.pipe(observe(model, classes.likelihood), accumulateFactors(kfac())));

describe('fromDataset', () => {
  it('is a pass over the same data', async () => {
    const expected = await pass(model, classes.likelihood, data, kfac(), 4);
    expectSameFactors(await factorsOf(fromDataset(watched(4).dataset)), expected, 0);
  });

  it('takes a dataset of tf.data', async () => {
    const { x, y } = data;
    const rows = (t: tf.Tensor) => tf.data.array(t.arraySync() as number[][]);
    const dataset = tf.data.zip({ xs: rows(x), ys: rows(y) }).batch(4);
    expectSameFactors(await factorsOf(fromDataset(dataset)), await pass(model, classes.likelihood, data, kfac(), 4), 0);
    await expectNoLeak(() => factorsOf(fromDataset(dataset)));
  });

  it('can be subscribed to again', async () => {
    const source = fromDataset(watched(4).dataset);
    const [first, second] = [await factorsOf(source), await factorsOf(source)];
    expectSameFactors(second, first, 0);
  });

  it('asks for the next element once the last has been used, and frees it', async () => {
    const { dataset, log, live } = watched(2);
    const seen: Array<readonly [asked: number, live: number]> = [];
    const observed = fromDataset(dataset).pipe(
      tap(() => seen.push([log.asked, live()])),
      observe(model, classes.likelihood),
      accumulateFactors(kfac()),
    );
    await lastValueFrom(observed);
    // One element, its x and its y, at a time.
    expect(seen).toEqual([1, 2, 3, 4, 5].map((asked) => [asked, 2]));
    expect(live()).toBe(0);
  });

  it('asks for nothing while nobody has used what there is', async () => {
    const { dataset, log } = watched(2);
    const subscription = fromDataset(dataset).subscribe();
    await settled();
    expect(log.asked).toBe(1);
    subscription.unsubscribe();
  });

  it('ends with an empty dataset', async () => {
    const empty: DatasetLike = { iterator: async () => ({ next: async () => ({ value: null, done: true }) }) };
    expect(await lastValueFrom(fromDataset(empty).pipe(toArray()))).toEqual([]);
    await expectRejection(factorsOf(fromDataset(empty)), 'Empty');
  });

  it('waits for an element that never comes, until nobody listens any more', async () => {
    const { dataset } = watched(4, { at: 1, next: () => new Promise(() => {}) });
    await expectNoLeak(async () => {
      const subscription = from(fromDataset(dataset))
        .pipe(observe(model, classes.likelihood), accumulateFactors(kfac()))
        .subscribe();
      await settled();
      subscription.unsubscribe();
    });
  });

  it('frees an element that comes when nobody listens any more', async () => {
    let deliver = (_: IteratorResult<unknown>): void => {};
    const late = new Promise<IteratorResult<unknown>>((resolve) => {
      deliver = resolve;
    });
    const { dataset } = watched(4, { at: 0, next: () => late });
    const notify = jest.fn();
    const subscription = fromDataset(dataset).subscribe({ next: notify, complete: notify, error: notify });
    await settled();
    subscription.unsubscribe();
    const value = { xs: tensor([2, INPUTS], 1), ys: classes.labels(2) };
    deliver({ value, done: false });
    await settled();
    expect([value.xs.isDisposed, value.ys.isDisposed]).toEqual([true, true]);
    expect(notify).not.toHaveBeenCalled();
  });

  it('stops the iteration when nobody listens any more', async () => {
    const { dataset, log, live } = watched(2);
    await lastValueFrom(fromDataset(dataset).pipe(observe(model, classes.likelihood), take(1)));
    await settled();
    expect([log.asked, live()]).toEqual([1, 0]);
  });

  it.each<[string, (boom: Error) => Observable<unknown>]>([
    ['an iterator', (boom) => fromDataset(watched(4, { at: 1, next: () => Promise.reject(boom) }).dataset)],
    ['a dataset', (boom) => fromDataset({ iterator: () => Promise.reject(boom) })],
    [
      'a consumer',
      (boom) =>
        fromDataset(watched(4).dataset).pipe(
          map(() => {
            throw boom;
          }),
        ),
    ],
  ])('hands on the error of %s', async (_, make) => {
    const boom = new Error('boom');
    const run = () => rejection(factorsOf(make(boom) as Observable<BatchSource>));
    expect(await run()).toBe(boom);
    await expectNoLeak(run);
  });

  it('frees an element that is refused', async () => {
    const bad = async () => ({ value: { xs: tensor([2, 3], 1), ys: classes.labels(2) }, done: false });
    const run = () => rejection(factorsOf(fromDataset(watched(4, { at: 1, next: bad }).dataset)));
    expect(await run()).toMatchObject({ kind: 'InvalidInput' });
    await expectNoLeak(run);
  });

  it('gives each element once: a second use says so', async () => {
    const twice = fromDataset(watched(4).dataset).pipe(
      observe(model, classes.likelihood),
      map((batch) => {
        batch.use(() => tf.scalar(0)).dispose();
        return batch;
      }),
    );
    await expectRejection(lastValueFrom(twice.pipe(accumulateFactors(kfac()))), 'InvalidInput', { found: 'a disposed tensor' });
  });

  it('frees what was used and what was not', async () => {
    await expectNoLeak(() => factorsOf(fromDataset(watched(4).dataset)));
    await expectNoLeak(async () => {
      const subscription = fromDataset(watched(4).dataset)
        .pipe(observe(model, classes.likelihood), accumulateFactors(kfac()))
        .subscribe();
      await Promise.resolve();
      subscription.unsubscribe();
    });
  });

  it('keeps nothing of the elements that are gone', async () => {
    const { dataset, log } = watched(1, { at: 8, next: () => new Promise(() => {}) });
    const subscription = fromDataset(dataset).subscribe((source) => {
      if (typeof source === 'function') (source() as OwnedBatch).dispose();
    });
    await settled();
    expect(log.asked).toBe(9);
    // rxjs's own list of what a subscription has to free.
    expect(Reflect.get(subscription, '_finalizers') ?? []).toHaveLength(0);
    subscription.unsubscribe();
  });
});

it('hands on an error value of a source as it is', async () => {
  const error = laplaceError('Backend', { what: 'x' });
  const source = fromDataset(watched(4, { at: 1, next: () => Promise.reject(error) }).dataset);
  expect(await rejection(factorsOf(source))).toBe(error);
});
