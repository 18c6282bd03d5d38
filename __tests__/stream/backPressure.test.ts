/** One batch at a time, whatever the source: when functions are called, what waits, and when the work ends. */
import * as tf from '@tensorflow/tfjs';
import { concat, from, interval, lastValueFrom, map, of, take, tap, throwError, toArray } from 'rxjs';
import {
  activationSampling,
  type Classification,
  fromIterable,
  type InputSource,
  type Posterior,
  type Prediction,
  type Progress,
  predict,
} from 'tfjs-laplace';
import { rejection } from '../support/errors.js';
import { fittedPair } from '../support/factors.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { INPUTS, pair, tensor } from '../support/networks.js';

const classes = pair('classes, softmax inside');
let model: tf.LayersModel;
let posterior: Posterior;
let x: tf.Tensor;
beforeAll(async () => {
  ({ model, x, posterior } = await fittedPair(classes));
});

const predictive = activationSampling({ samples: 3 });
/** How many examples a prediction is of. */
const sizeOf = (p: Prediction): number => (p as Classification).entropy.length;

it('calls a function when the prediction before is out and its tensors are gone', async () => {
  const events: string[] = [];
  let idle: number | undefined;
  const source = (rows: number) => () => {
    // Nothing is there but the posterior.
    idle ??= tf.memory().numTensors;
    expect(tf.memory().numTensors).toBe(idle);
    events.push(`made ${rows}`);
    return tensor([rows, INPUTS], rows);
  };
  const predictions = from([1, 2, 3].map(source)).pipe(
    predict(model, posterior, predictive),
    tap((p) => events.push(`predicted ${sizeOf(p)}`)),
  );
  await lastValueFrom(predictions);
  expect(events).toEqual([1, 2, 3].flatMap((rows) => [`made ${rows}`, `predicted ${rows}`]));
});

it('takes 10,000 functions at once, calls them in order, and the others never when it is left', async () => {
  let called = 0;
  const sources = Array.from({ length: 10_000 }, (_, i) => () => {
    expect(called).toBe(i);
    called += 1;
    return tensor([1, INPUTS], i);
  });
  await expectNoLeak(async () => {
    called = 0;
    await lastValueFrom(from(sources).pipe(predict(model, posterior, predictive), take(50)));
    await settled();
    expect(called).toBe(50);
  });
});

it('works what waits before it hands on the error of its source', async () => {
  const boom = new Error('boom');
  const seen: number[] = [];
  const source = concat(
    of(
      ...[1, 2].map(
        (rows): InputSource =>
          () =>
            tensor([rows, INPUTS], rows),
      ),
    ),
    throwError(() => boom),
  );
  const failing = source.pipe(
    predict(model, posterior, predictive),
    tap((p) => seen.push(sizeOf(p))),
  );
  expect(await rejection(lastValueFrom(failing))).toBe(boom);
  expect(seen).toEqual([1, 2]);
});

it('keeps up with a slow source, and leaves one without end', async () => {
  await expectNoLeak(async () => {
    const slow = interval(5).pipe(map((i) => () => tensor([i + 1, INPUTS], i)));
    const found = await lastValueFrom(slow.pipe(predict(model, posterior, predictive), take(4), toArray()));
    expect(found.map(sizeOf)).toEqual([1, 2, 3, 4]);
  });
});

describe('unsubscribing', () => {
  it('ends a long batch after the draw in hand, and frees it', async () => {
    // The batch would take days: what it holds is freed within seconds because its loop is left.
    await expectNoLeak(async () => {
      const subscription = of(() => tensor([20, INPUTS], 1))
        .pipe(predict(model, posterior, activationSampling({ samples: 1e9 })))
        .subscribe();
      await settled();
      subscription.unsubscribe();
    });
  });

  it('leaves functions that wait uncalled', async () => {
    const called: number[] = [];
    const sources = [0, 1, 2].map((i) => () => {
      called.push(i);
      return tensor([1, INPUTS], i);
    });
    await lastValueFrom(from(sources).pipe(predict(model, posterior, predictive), take(1)));
    await settled();
    expect(called).toEqual([0]);
  });
});

describe('progress', () => {
  it('within a batch once a second, as a detail: the batches are counted as ever', async () => {
    const events: Progress[] = [];
    const clock = jest.spyOn(Date, 'now');
    try {
      let now = 0;
      // Every look at the clock is 200 ms later.
      clock.mockImplementation(() => (now += 200));
      await lastValueFrom(
        from([x]).pipe(
          predict(model, posterior, activationSampling({ samples: 30 }), { total: 1, onProgress: (e) => events.push(e) }),
        ),
      );
    } finally {
      clock.mockRestore();
    }
    const within = events.slice(0, -1);
    expect(within.length).toBeGreaterThan(2);
    for (const event of within) {
      expect(event).toEqual({
        phase: 'predict',
        done: 0,
        total: 1,
        unit: 'batches',
        detail: expect.stringMatching(/^draw \d+ of 30$/),
      });
    }
    expect(events.at(-1)).toEqual({ phase: 'predict', done: 1, total: 1, unit: 'batches' });
  });
});

describe('fromIterable', () => {
  it('asks a source without end for one batch more than is used', async () => {
    const asked: number[] = [];
    function* endless() {
      for (let i = 1; ; i++) {
        asked.push(i);
        yield () => tensor([i, INPUTS], i);
      }
    }
    await expectNoLeak(async () => {
      asked.length = 0;
      const found = await lastValueFrom(fromIterable(endless()).pipe(predict(model, posterior, predictive), take(3), toArray()));
      expect(found.map(sizeOf)).toEqual([1, 2, 3]);
      await settled();
    });
    expect(asked).toEqual([1, 2, 3, 4]);
  });

  it('ends with its source, takes values as they are, and ends the iteration when it is left', async () => {
    const ended = jest.fn();
    async function* three() {
      try {
        for (const i of [1, 2, 3]) yield Array.from({ length: i }, () => [1, 2, 3, 4]);
      } finally {
        ended();
      }
    }
    const run = (count: number) =>
      lastValueFrom(fromIterable(three()).pipe(predict(model, posterior, predictive), take(count), map(sizeOf), toArray()));
    expect(await run(9)).toEqual([1, 2, 3]);
    expect(ended).toHaveBeenCalledTimes(1);
    expect(await run(1)).toEqual([1]);
    await settled();
    expect(ended).toHaveBeenCalledTimes(2);
  });

  it('hands on the error of its source', async () => {
    const boom = new Error('boom');
    function* failing() {
      yield [[1, 2, 3, 4]];
      throw boom;
    }
    expect(await rejection(lastValueFrom(fromIterable(failing()).pipe(predict(model, posterior, predictive))))).toBe(boom);
  });
});
