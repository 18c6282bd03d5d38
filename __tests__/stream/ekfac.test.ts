/** Two passes over one source: what they are asked for, what becomes of sources that give their batches once, and how they end. */
import * as tf from '@tensorflow/tfjs';
import { defer, from, lastValueFrom, type Observable, of, Subject } from 'rxjs';
import {
  type AccumulateOptions,
  accumulateFactors,
  type BatchSource,
  batches,
  diagonal,
  ekfac,
  type Factors,
  kfac,
  observe,
  type Posterior,
  type Progress,
  toPosterior,
} from 'tfjs-laplace';
import { expectRejection } from '../support/errors.js';
import { expectSameFactors, pass } from '../support/factors.js';
import { expectNoLeak, leftBehind, settled } from '../support/memory.js';
import { chain, dataOf, INPUTS, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');
const { likelihood } = classes;
const N = 10;
let model: tf.LayersModel;
let data: { x: tf.Tensor; y: tf.Tensor };

beforeAll(() => {
  model = chain(classes);
  data = dataOf(classes, N);
});

const twoPasses = (source: Observable<BatchSource>, options: AccumulateOptions = {}): Observable<Factors> =>
  source.pipe(observe(model, likelihood), accumulateFactors(ekfac(), options));

const posteriorOf = (factors: Factors, layers: 'all' | 'last' = 'all'): Promise<Posterior> =>
  lastValueFrom(of(factors).pipe(toPosterior({ layers })));

/** A source that counts who asks for it. */
function counted() {
  let subscriptions = 0;
  const source = defer(() => {
    subscriptions += 1;
    return from(batches(data, 4));
  });
  return { source, subscriptions: () => subscriptions };
}

it('subscribes twice: for the eigenvectors of the Kronecker factors, and for the moments along them', async () => {
  const { source, subscriptions } = counted();
  const found = await lastValueFrom(twoPasses(source));
  expect(subscriptions()).toBe(2);
  const basis = await posteriorOf(await pass(model, likelihood, data));
  const given = counted();
  expectSameFactors(found, await lastValueFrom(twoPasses(given.source, { basis })), 0);
  expect(given.subscriptions()).toBe(1);
});

it('reports the batches of both passes, and the layers between them', async () => {
  const events: Progress[] = [];
  await lastValueFrom(twoPasses(from(batches(data, 4)), { total: 3, onProgress: (event) => events.push(event) }));
  const batchesOf = (detail: string) => [1, 2, 3].map((done) => ({ phase: 'observe', done, total: 3, unit: 'batches', detail }));
  expect(events.slice(0, 3)).toEqual(batchesOf('first pass: eigenvectors'));
  expect(events.slice(-3)).toEqual(batchesOf('second pass: moments'));
  const between = events.slice(3, -3);
  expect(between.map(({ phase, done, total }) => [phase, done, total])).toEqual([0, 1, 2].map((done) => ['decompose', done, 2]));
});

describe('refuses', () => {
  it('a subject, whose batches are gone the second time, and does not wait for more', async () => {
    const subject = new Subject<BatchSource>();
    const caught = expectRejection(lastValueFrom(twoPasses(subject)), 'Empty');
    for (const batch of batches(data, 4)) subject.next(batch);
    subject.complete();
    const { message } = await caught;
    expect(message).toContain('second pass');
    expect(message).toContain('basis');
  });

  it('an iterator that is used up', async () => {
    const once = batches(data, 4).values();
    expect((await expectRejection(lastValueFrom(twoPasses(from(once))), 'Empty')).message).toContain('second pass');
  });

  it('no batch at all, in other words', async () => {
    expect((await expectRejection(lastValueFrom(twoPasses(of())), 'Empty')).message).not.toContain('second pass');
  });

  it('other data the second time', async () => {
    let size = N;
    const source = defer(() => {
      const own = dataOf(classes, size);
      size -= 3;
      return from(batches(own, 4));
    });
    await expectRejection(lastValueFrom(twoPasses(source)), 'Mismatch', {
      field: 'count',
      found: '10 examples and then 7',
    });
  });

  it('a basis that does not cover the layers, has no eigenvectors, or is of another size', async () => {
    const other = tf.sequential({
      layers: [
        tf.layers.dense({ units: 7, inputShape: [INPUTS], name: 'hidden' }),
        tf.layers.dense({ units: 3, activation: 'softmax', name: 'outputs' }),
      ],
    });
    const own = await pass(model, likelihood, data);
    for (const basis of [
      await posteriorOf(own, 'last'),
      await posteriorOf(await pass(model, likelihood, data, diagonal())),
      await posteriorOf(await pass(other, likelihood, data)),
    ]) {
      await expectRejection(lastValueFrom(twoPasses(from(batches(data, 4)), { basis })), 'Mismatch', {
        field: 'basis',
        layer: 'hidden',
      });
    }
  });

  it('bad data in the second pass, whose sound batches are not lost', async () => {
    let passes = 0;
    const bad = { x: tf.fill([4, INPUTS], Number.NaN), y: classes.labels(4) };
    const source = defer(() => {
      passes += 1;
      return from<BatchSource[]>([...batches(data, 4), ...(passes === 2 ? [bad] : [])]);
    });
    const gathered: Factors[] = [];
    await expectRejection(lastValueFrom(twoPasses(source, { onFailure: (f) => gathered.push(f) })), 'NotFinite', { field: 'x' });
    expect(gathered.map(({ layout, count }) => [layout.estimator._tag, count])).toEqual([['ekfac', N]]);
  });
});

describe('frees the device', () => {
  /** Begins, and unsubscribes at the first event that fits. */
  const until = (fits: (event: Progress) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const onProgress = (event: Progress) => {
        if (!fits(event)) return;
        subscription.unsubscribe();
        resolve();
      };
      const subscription = twoPasses(from(batches(data, 2)), { onProgress }).subscribe({
        complete: () => reject(new Error('nothing was left half-way')),
        error: reject,
      });
    });

  it.each<[string, (event: Progress) => boolean]>([
    ['in the first pass', ({ detail, done }) => detail === 'first pass: eigenvectors' && done === 2],
    ['between the passes', ({ phase }) => phase === 'decompose'],
    ['in the second pass', ({ detail, done }) => detail === 'second pass: moments' && done === 2],
  ])('when it is unsubscribed %s', async (_, fits) => {
    await expectNoLeak(() => until(fits));
  });

  it('when the second pass fails', async () => {
    await expectNoLeak(async () => {
      await expectRejection(lastValueFrom(twoPasses(from(batches(data, 4).values()))), 'Empty');
    });
  });

  it('while a source gives nothing more', async () => {
    const subject = new Subject<BatchSource>();
    const left = await leftBehind(async () => {
      const subscription = twoPasses(subject).subscribe();
      subject.next(data);
      await settled();
      subscription.unsubscribe();
    });
    expect(left).toEqual({ tensors: 0, bytes: 0 });
  });
});

it('a basis frees what it put on the device too', async () => {
  const basis = await posteriorOf(await pass(model, likelihood, data, kfac()));
  await expectNoLeak(() => lastValueFrom(twoPasses(from(batches(data, 4)), { basis })));
});
