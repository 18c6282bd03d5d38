/** Which batches count: those of the epochs that were chosen, wherever training ends. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, of, toArray } from 'rxjs';
import {
  type EpochSelection,
  epochsWhere,
  everyEpoch,
  type Factors,
  finalEpochs,
  fingerprint,
  kfac,
  kfra,
  linearised,
  type Progress,
  predict,
  toPosterior,
} from 'tfjs-laplace';
import { type LaplaceCallback, laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection, rejection } from '../../support/errors.js';
import { expectSameFactors, pass } from '../../support/factors.js';
import { kronecker } from '../../support/kronecker.js';
import { chain, dataOf, pair } from '../../support/networks.js';
import { datasetOf } from '../../support/training.js';

const classes = pair('classes, softmax inside');
const EXAMPLES = 10;
/** 4, 4 and 2 examples. */
const SIZE = 4;

let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  data = dataOf(classes, EXAMPLES);
});

const observer = (epochs: EpochSelection, curvature = kfac({ fisher: 'empirical' }), rest = {}) =>
  laplaceCallback({ likelihood: classes.likelihood, curvature, epochs, ...rest });

/** Positions, `epoch.batch`, of the batches that a callback sees. */
function positions(callback: LaplaceCallback): Promise<string[]> {
  return lastValueFrom(callback.batches$.pipe(toArray())).then((seen) => seen.map(({ epoch, index }) => `${epoch}.${index}`));
}

interface Run {
  readonly epochs?: number;
  readonly beside?: (model: tf.LayersModel) => tf.CustomCallback | tf.EarlyStopping;
  readonly more?: Partial<tf.ModelFitArgs>;
}

async function observed(callback: LaplaceCallback, { epochs = 4, beside, more = {} }: Run = {}, model = chain(classes)) {
  const seen = positions(callback);
  const callbacks = [...(beside === undefined ? [] : [beside(model)]), callback] as tf.CustomCallback[];
  await model.fit(data.x, data.y, { epochs, batchSize: SIZE, verbose: 0, callbacks, ...more });
  return { model, seen: await seen, factors: await lastValueFrom(callback.factors$) };
}

const batchesOf = (...which: number[]) => which.flatMap((epoch) => [0, 1, 2].map((index) => `${epoch}.${index}`));
const stopAt = (epoch: number, batch: number) => (model: tf.LayersModel) => {
  let present = 0;
  return new tf.CustomCallback({
    onEpochBegin: (now) => {
      present = now;
    },
    onBatchEnd: (now) => {
      if (present === epoch && now === batch) model.stopTraining = true;
    },
  });
};
/** Stops after the second epoch: no loss is low enough for it. */
const impatient = () => tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 1e9 });
const anyTime = (count: number) => finalEpochs(count, { stopsEarly: true });

it.each<[string, EpochSelection, Run, number, number, string[]]>([
  ['finalEpochs(1)', finalEpochs(1), {}, 10, 10, batchesOf(3)],
  ['finalEpochs(2)', finalEpochs(2), {}, 20, 10, batchesOf(2, 3)],
  ['finalEpochs(9) of 4', finalEpochs(9), {}, 40, 10, batchesOf(0, 1, 2, 3)],
  ['finalEpochs(1), which may end at any time', anyTime(1), {}, 10, 10, batchesOf(0, 1, 2, 3)],
  ['finalEpochs(2), which may end at any time', anyTime(2), {}, 20, 10, batchesOf(0, 1, 2, 3)],
  ['finalEpochs(1), which never stops early', finalEpochs(1, { stopsEarly: false }), {}, 10, 10, batchesOf(3)],
  ['finalEpochs(2), which never stops early', finalEpochs(2, { stopsEarly: false }), {}, 20, 10, batchesOf(2, 3)],
  ['finalEpochs(1) from epoch 2 on', finalEpochs(1), { more: { initialEpoch: 2 } }, 10, 10, batchesOf(3)],
  ['everyEpoch()', everyEpoch(), {}, 40, 10, batchesOf(0, 1, 2, 3)],
  ['epochs 1 and 3', epochsWhere((epoch) => epoch % 2 === 1), {}, 20, 10, batchesOf(1, 3)],
  ['epoch 0', epochsWhere((epoch) => epoch === 0), {}, 10, 10, batchesOf(0)],
  ['finalEpochs(1) and early stopping', finalEpochs(1), { beside: impatient }, 10, 10, batchesOf(0, 1)],
  ['finalEpochs(3) and early stopping', finalEpochs(3), { beside: impatient }, 20, 10, batchesOf(0, 1)],
  ['everyEpoch() and early stopping', everyEpoch(), { beside: impatient }, 20, 10, batchesOf(0, 1)],
  // An epoch that is cut short gives way to the whole one before it.
  ['finalEpochs(1), stopped within epoch 2', anyTime(1), { beside: stopAt(2, 1) }, 10, 10, [...batchesOf(0, 1), '2.0', '2.1']],
  ['finalEpochs(1), stopped within epoch 0', anyTime(1), { beside: stopAt(0, 0) }, 4, 4, ['0.0']],
  ['finalEpochs(1), stopped at the end of epoch 1', anyTime(1), { beside: stopAt(1, 2) }, 10, 10, batchesOf(0, 1)],
  // Among the final epochs that were announced.
  ['finalEpochs(3), stopped within epoch 2 of 4', finalEpochs(3), { beside: stopAt(2, 0) }, 10, 10, [...batchesOf(1), '2.0']],
  ['finalEpochs(2), stopped within epoch 2 of 4', finalEpochs(2), { beside: stopAt(2, 0) }, 4, 4, ['2.0']],
  ['everyEpoch(), stopped within epoch 1', everyEpoch(), { beside: stopAt(1, 0) }, 14, 10, [...batchesOf(0), '1.0']],
  ['a part for validation', finalEpochs(1), { more: { validationSplit: 0.4 } }, 6, 6, ['3.0', '3.1']],
])('%s', async (_, selection, run, count, datasetSize, seen) => {
  const result = await observed(observer(selection), run);
  expect(result.factors).toMatchObject({ count, datasetSize });
  expect(result.seen).toEqual(seen);
  // The inputs' last coordinate is 1, so the corner of their sum counts the examples that it holds.
  expect(kronecker(result.factors.layers[0]).input.data.at(-1)).toBeCloseTo(count, 5);
});

it('keeps the last epochs of a dataset that goes round and round', async () => {
  // Batches of 4, 4 and 2 again and again: an epoch of two batches has 8, 6 or 6 examples, and none is cut short.
  const model = chain(classes);
  const round = async () => {
    let inner = await datasetOf(data, SIZE).iterator();
    return {
      next: async () => {
        const result = await inner.next();
        if (!result.done) return result;
        inner = await datasetOf(data, SIZE).iterator();
        return inner.next();
      },
    };
  };
  const counts = async (k: number) => {
    const callback = observer(finalEpochs(k));
    const callbacks = callback as unknown as tf.CustomCallback;
    await model.fitDataset({ iterator: round } as never, { epochs: 3, batchesPerEpoch: 2, verbose: 0, callbacks });
    return (await lastValueFrom(callback.factors$)).count;
  };
  expect([await counts(1), await counts(2), await counts(3)]).toEqual([6, 12, 20]);
});

it('says so when no epoch was observed', async () => {
  const callback = observer(epochsWhere(() => false));
  const model = chain(classes);
  await model.fit(data.x, data.y, { epochs: 2, verbose: 0, callbacks: callback });
  await expectRejection(lastValueFrom(callback.factors$), 'Empty', { field: 'epochs' });
  expect(await callback.gathered()).toBeUndefined();
  const none = observer(finalEpochs(1));
  await model.fit(data.x, data.y, { epochs: 2, initialEpoch: 2, verbose: 0, callbacks: none });
  const { message } = await expectRejection(lastValueFrom(none.factors$), 'Empty', { field: 'epochs' });
  expect(message).toMatch(/^No training batch was observed/);
});

it.each<[string, EpochSelection, NonNullable<Run['beside']>, string]>([
  ['finalEpochs(1)', finalEpochs(1), stopAt(1, 2), 'Training ended in epoch 2 of 4, before the final epoch'],
  ['finalEpochs(1)', finalEpochs(1), stopAt(0, 0), 'Training ended in epoch 1 of 4, before the final epoch'],
  ['finalEpochs(2)', finalEpochs(2), stopAt(1, 0), 'Training ended in epoch 2 of 4, before the final 2 epochs'],
  [
    'a promise that early stopping breaks',
    finalEpochs(1, { stopsEarly: false }),
    impatient,
    'Training ended in epoch 2 of 4, before the final epoch',
  ],
])('says so when training ended before the final epochs: %s', async (_, selection, beside, what) => {
  const error = await expectRejection(observed(observer(selection), { beside }), 'Empty', { field: 'epochs' });
  expect(error.message).toContain(`${what}: found no observed epoch, expected training of all 4 epochs.`);
  const { count } = selection as Extract<EpochSelection, { _tag: 'finalEpochs' }>;
  expect(error.remedy).toContain(`finalEpochs(${count}, { stopsEarly: true })`);
  expect(error.remedy).toContain('observe and accumulateFactors');
});

it('a predicate that throws is an error of fit', async () => {
  const boom = new Error('boom');
  const callback = observer(
    epochsWhere(() => {
      throw boom;
    }),
  );
  const training = chain(classes).fit(data.x, data.y, { epochs: 2, verbose: 0, callbacks: callback });
  expect(await rejection(training)).toBe(boom);
  await expectRejection(lastValueFrom(callback.factors$), 'NotReady');
});

it('takes the epochs of a recipe', async () => {
  const callback = laplaceCallback({ likelihood: classes.likelihood, epochs: finalEpochs(2) });
  expect((await observed(callback)).factors.count).toBe(20);
});

describe('factors', () => {
  it('stand for the weights at the end, so that the trained model predicts with them', async () => {
    const { model, factors } = await observed(observer(everyEpoch()));
    expect(factors.fingerprint).toBe(await fingerprint(model));
    const kernel = Array.from(model.getWeights()[0]?.dataSync() as Float32Array);
    expect(Array.from(factors.weights[0]?.data.subarray(0, kernel.length) as Float64Array)).toEqual(kernel);
    const posterior = await lastValueFrom(of(factors).pipe(toPosterior()));
    const prediction = await lastValueFrom(of(data.x).pipe(predict(model, posterior, linearised())));
    expect(prediction._tag).toBe('classification');
  });

  it.each([
    kfac({ fisher: 'exact' }),
    kfac({ fisher: { _tag: 'monteCarlo', samples: 3, seed: 2 } }),
    kfac({ fisher: 'empirical' }),
    kfra(),
  ])('at fixed weights are those of a pass: %j', async (curvature) => {
    const model = chain(classes, { optimizer: tf.train.sgd(0) });
    const { factors } = await observed(observer(finalEpochs(1), curvature), { more: { shuffle: false }, epochs: 1 }, model);
    // Labels of monteCarlo are drawn by epoch and batch: epoch 0 draws those of a pass. Float32 rounding as in byProduct.test.ts.
    expectSameFactors(factors, await pass(model, classes.likelihood, data, curvature, SIZE), 1e-5);
  });

  it.each([1, 2])('of the final %s epochs are those of that training alone', async (k) => {
    // Training twice from the same start: everything is observed, or only the end.
    const shuffle = { more: { shuffle: false } };
    const early = await observed(observer(anyTime(k)), shuffle);
    const late = await observed(observer(finalEpochs(k)), shuffle);
    expectSameFactors(early.factors, late.factors, 0);
    expect(early.factors.fingerprint).toBe(late.factors.fingerprint);
  });

  it('of moving weights differ from epoch to epoch', async () => {
    const run = (which: number) => observed(observer(epochsWhere((epoch) => epoch === which)), { more: { shuffle: false } });
    const [first, last] = [(await run(0)).factors, (await run(3)).factors] as [Factors, Factors];
    expect(first.fingerprint).toBe(last.fingerprint);
    expect(Array.from(kronecker(first.layers[0]).gradient.data)).not.toEqual(Array.from(kronecker(last.layers[0]).gradient.data));
  });
});

it('reports each observed batch with its epoch', async () => {
  const events: Progress[] = [];
  await observed(
    observer(
      epochsWhere((e) => e >= 2),
      undefined,
      { onProgress: (event: Progress) => events.push(event) },
    ),
  );
  expect(events.map(({ done, detail }) => `${done} ${detail}`)).toEqual(
    [1, 2, 3, 4, 5, 6].map((done) => `${done} epoch ${done <= 3 ? 3 : 4}`),
  );
  for (const event of events) expect(event).toMatchObject({ phase: 'observe', unit: 'batches' });
});
