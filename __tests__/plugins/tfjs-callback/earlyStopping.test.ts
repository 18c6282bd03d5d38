/** The callback finds out by itself whether an EarlyStopping callback can end the training that it observes. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, toArray } from 'rxjs';
import { finalEpochs, type Progress } from 'tfjs-laplace';
import { type LaplaceCallback, laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { rejection } from '../../support/errors.js';
import { chain, dataOf, pair } from '../../support/networks.js';
import { datasetOf } from '../../support/training.js';

const classes = pair('classes, softmax inside');

let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  data = dataOf(classes, 10);
});

/** Never stops in so few epochs. */
const patient = () => tf.callbacks.earlyStopping({ monitor: 'loss', patience: 100 });
const observer = () => laplaceCallback({ likelihood: classes.likelihood, epochs: finalEpochs(1) });
const nothing = () => new tf.CustomCallback({});

/** The epochs whose batches a callback sees. */
const epochsOf = async (callback: LaplaceCallback): Promise<number[]> => {
  const batches = await lastValueFrom(callback.batches$.pipe(toArray()));
  return [...new Set(batches.map(({ epoch }) => epoch))];
};

const ARGS = { epochs: 3, batchSize: 4, verbose: 0 } as const;
const train = (model: tf.LayersModel, callbacks: ReadonlyArray<unknown>) =>
  model.fit(data.x, data.y, { ...ARGS, callbacks: callbacks as tf.CustomCallback[] });

const prototype = () => Object.getOwnPropertyDescriptors(tf.EarlyStopping.prototype);
const untouched = prototype();
afterEach(() => expect(prototype()).toEqual(untouched));

/** A callback of the user's own that is an EarlyStopping too. */
class Own extends tf.EarlyStopping {
  override setModel(model: tf.LayersModel): void {
    super.setModel(model);
  }
}

it.each<[string, (ours: LaplaceCallback) => ReadonlyArray<unknown>, number[]]>([
  ['alone', (ours) => [ours], [2]],
  ['beside a callback of another class', (ours) => [nothing(), ours, nothing()], [2]],
  ['behind early stopping', (ours) => [patient(), ours], [0, 1, 2]],
  ['in front of early stopping', (ours) => [ours, nothing(), patient()], [0, 1, 2]],
  ['behind a class that extends it', (ours) => [new Own({ monitor: 'loss', patience: 100 }), ours], [0, 1, 2]],
])('%s', async (_, list, epochs) => {
  const callback = observer();
  const seen = epochsOf(callback);
  await train(chain(classes), list(callback));
  expect(await seen).toEqual(epochs);
});

it('in fitDataset', async () => {
  const callback = observer();
  const seen = epochsOf(callback);
  const callbacks = [callback, patient()] as never;
  await chain(classes).fitDataset(datasetOf(data, 4) as never, { epochs: 3, verbose: 0, callbacks });
  expect(await seen).toEqual([0, 1, 2]);
});

it('for each of two callbacks in one fit', async () => {
  const [one, two] = [observer(), observer()];
  const seen = [epochsOf(one), epochsOf(two)];
  await train(chain(classes), [one, patient(), two]);
  expect(await Promise.all(seen)).toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ]);
});

it('anew for each fit', async () => {
  const seen = new Set<string | undefined>();
  const onProgress = ({ detail }: Progress) => void seen.add(detail);
  const callback = laplaceCallback({ likelihood: classes.likelihood, onProgress });
  const model = chain(classes);
  await train(model, [callback, patient()]);
  expect([...seen]).toEqual(['epoch 1', 'epoch 2', 'epoch 3']);
  seen.clear();
  await train(model, [callback]);
  expect([...seen]).toEqual(['epoch 3']);
});

it('of two models that train at once only for the one that has it', async () => {
  const [stopped, free] = [observer(), observer()];
  const seen = [epochsOf(stopped), epochsOf(free)];
  await Promise.all([train(chain(classes), [stopped, patient()]), train(chain(classes), [free, nothing()])]);
  expect(await Promise.all(seen)).toEqual([[0, 1, 2], [2]]);
});

it('also if another model gets an early stopping callback in the same go', async () => {
  const other = chain(classes);
  class Other extends tf.Callback {
    override setModel(model: tf.LayersModel): void {
      super.setModel(model);
      patient().setModel(other);
    }
  }
  const callback = observer();
  const seen = epochsOf(callback);
  await train(chain(classes), [callback, new Other()]);
  expect(await seen).toEqual([2]);
});

it('and puts everything back when fit fails before training begins', async () => {
  const boom = new Error('boom');
  class Broken extends tf.Callback {
    override setModel(): void {
      throw boom;
    }
  }
  expect(await rejection(train(chain(classes), [observer(), new Broken(), patient()]))).toBe(boom);
});

it('and leaves a patch of somebody else in its place', async () => {
  const models: unknown[] = [];
  const { setModel } = tf.EarlyStopping.prototype;
  const own = jest.fn(function (this: tf.EarlyStopping, model: Parameters<typeof setModel>[0]) {
    models.push(model);
    setModel.call(this, model);
  });
  Object.defineProperty(tf.EarlyStopping.prototype, 'setModel', { configurable: true, writable: true, value: own });
  try {
    const callback = observer();
    const seen = epochsOf(callback);
    await train(chain(classes), [callback, patient()]);
    expect(await seen).toEqual([0, 1, 2]);
    expect(models).toHaveLength(1);
    expect(tf.EarlyStopping.prototype.setModel).toBe(own);
  } finally {
    delete (tf.EarlyStopping.prototype as Partial<tf.EarlyStopping>).setModel;
  }
});
