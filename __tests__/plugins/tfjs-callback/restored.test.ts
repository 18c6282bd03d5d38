/** However training ends, the model is as it was before: nothing stays patched, nothing stays on the device. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { everyEpoch, finalEpochs, fingerprint, kfac } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection, rejection } from '../../support/errors.js';
import { expectNoLeak, leftBehind } from '../../support/memory.js';
import { chain, dataOf, pair } from '../../support/networks.js';
import { datasetOf, surface } from '../../support/training.js';

const classes = pair('classes, softmax inside');
const boom = new Error('boom');
const fail = (): never => {
  throw boom;
};

type Callbacks = ReadonlyArray<unknown>;
type Fit = (model: tf.LayersModel, callbacks: Callbacks) => Promise<unknown>;

let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  data = dataOf(classes, 10);
});

const train: Fit = (model, callbacks) =>
  model.fit(data.x, data.y, { epochs: 2, batchSize: 4, verbose: 0, callbacks: callbacks as tf.CustomCallback[] });
const fitDataset =
  (dataset: unknown = datasetOf(data, 4)): Fit =>
  (model, callbacks) =>
    model.fitDataset(dataset as never, { epochs: 2, verbose: 0, callbacks: callbacks as tf.CustomCallback[] });

/** Training beside another callback, which comes before or after ours. */
const beside =
  (other: tf.CustomCallbackArgs, place: 'before' | 'after', run: Fit = train): Fit =>
  (model, callbacks) => {
    const theirs = new tf.CustomCallback(other);
    return run(model, place === 'before' ? [theirs, ...callbacks] : [...callbacks, theirs]);
  };

const stopping = (model: tf.LayersModel) => (): void => {
  model.stopTraining = true;
};

const brokenDataset = () => {
  const { iterator } = datasetOf(data, 4);
  let asked = 0;
  return { iterator: async () => ({ next: async () => (asked++ === 2 ? fail() : (await iterator()).next()) }) };
};

/** A step that fails after its gradients have been taken. */
const brokenOptimizer: Fit = (model, callbacks) => {
  const { optimizer } = model;
  const apply = jest.spyOn(optimizer, 'applyGradients');
  apply.mockImplementationOnce(() => {}).mockImplementationOnce(fail);
  return train(model, callbacks).finally(() => {
    apply.mockRestore();
    // jest leaves an own property where there was none.
    delete (optimizer as Partial<tf.Optimizer>).applyGradients;
  });
};

/** Ways to fail, with the examples that our callback had seen to the end of their batch by then (batches of 4, 4 and 2). */
const FAILURES: ReadonlyArray<[string, Fit, number | undefined]> = [
  ['a callback after ours that throws in onTrainBegin', beside({ onTrainBegin: fail }, 'after'), undefined],
  ['a callback after ours that throws in onEpochBegin', beside({ onEpochBegin: fail }, 'after'), undefined],
  ['a callback after ours that throws in onBatchBegin', beside({ onBatchBegin: fail }, 'after'), undefined],
  ['a callback before ours that throws in onBatchEnd', beside({ onBatchEnd: fail }, 'before'), undefined],
  ['a callback after ours that throws in onBatchEnd', beside({ onBatchEnd: fail }, 'after'), 4],
  ['a callback before ours that throws in onEpochEnd', beside({ onEpochEnd: fail }, 'before'), 10],
  ['a callback after ours that throws in onEpochEnd', beside({ onEpochEnd: fail }, 'after'), 10],
  ['a callback before ours that throws in onTrainEnd', beside({ onTrainEnd: fail }, 'before'), 20],
  ['an optimizer that throws at the second step', brokenOptimizer, 4],
  ['a dataset that throws for the third batch', (model, callbacks) => fitDataset(brokenDataset())(model, callbacks), 8],
];

const ENDS: ReadonlyArray<[string, Fit]> = [
  ['fit', train],
  ['fitDataset', (model, callbacks) => fitDataset()(model, callbacks)],
  ['stopTraining at the first batch', (model, callbacks) => beside({ onBatchEnd: stopping(model) }, 'before')(model, callbacks)],
  [
    'stopTraining after the first epoch',
    (model, callbacks) => beside({ onEpochEnd: stopping(model) }, 'after')(model, callbacks),
  ],
  [
    'early stopping',
    (model, callbacks) => train(model, [...callbacks, tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 1e9 })]),
  ],
];

/** Every way to end. */
const RUNS = [...ENDS, ...FAILURES.map(([name, run]) => [name, run] as const)];

const observer = (curvature = kfac({ fisher: 'empirical' })) =>
  laplaceCallback({ likelihood: classes.likelihood, curvature, epochs: everyEpoch() });

describe('puts everything back', () => {
  it.each(RUNS)('%s', async (_, run) => {
    const model = chain(classes, { optimizer: 'adam' });
    await train(model, []);
    const before = surface(model);
    await run(model, [observer()]).catch((error) => expect(error).toBe(boom));
    expect(surface(model)).toEqual(before);
  });

  it('an own minimize of the optimizer stays', async () => {
    const model = chain(classes);
    const optimizer = model.optimizer;
    const own = jest.fn((...args: Parameters<typeof optimizer.minimize>) =>
      tf.Optimizer.prototype.minimize.apply(optimizer, args),
    );
    optimizer.minimize = own as never;
    await train(model, [observer()]);
    expect(optimizer.minimize).toBe(own);
    expect(own).toHaveBeenCalledTimes(6);
  });

  it('several callbacks on one model', async () => {
    const model = chain(classes);
    await train(model, []);
    const before = surface(model);
    const three = [observer(), observer(kfac({ fisher: 'exact' })), observer()];
    await train(model, three);
    expect(surface(model)).toEqual(before);
    const counts = await Promise.all(three.map(async (callback) => (await lastValueFrom(callback.factors$)).count));
    expect(counts).toEqual([20, 20, 20]);
  });
});

describe('after an error in training', () => {
  it.each(FAILURES)('%s: fit keeps its error, factors$ has ours, gathered() has the rest', async (_, run, count) => {
    const model = chain(classes);
    const callback = observer();
    expect(await rejection(run(model, [callback]))).toBe(boom);
    await expectRejection(lastValueFrom(callback.factors$), 'NotReady');
    await expectRejection(lastValueFrom(callback.batches$), 'NotReady');
    const gathered = await callback.gathered();
    expect(gathered?.count).toBe(count);
    if (gathered !== undefined) expect(gathered.fingerprint).toBe(await fingerprint(model));
  });

  it('in another callback at the very end, the factors are there', async () => {
    const callback = observer();
    expect(await rejection(beside({ onTrainEnd: fail }, 'after')(chain(classes), [callback]))).toBe(boom);
    expect((await lastValueFrom(callback.factors$)).count).toBe(20);
  });

  it('trains and observes again', async () => {
    const model = chain(classes);
    const callback = observer();
    await rejection(brokenOptimizer(model, [callback]));
    await train(model, [callback]);
    expect((await lastValueFrom(callback.factors$)).count).toBe(20);
  });
});

describe('leaves nothing on the device', () => {
  it.each(RUNS)('%s', async (_, run) => {
    // tfjs leaves tensors behind when training fails: ours must not add to them.
    const trained = async (callbacks: Callbacks) => {
      const model = chain(classes);
      await train(model, callbacks);
      return () => run(model, callbacks).catch(() => {});
    };
    const plain = await trained([]);
    const before = tf.memory().numTensors;
    await plain();
    const expected = tf.memory().numTensors - before;
    expect((await leftBehind(await trained([observer()]), expected)).tensors).toBe(expected);
  });

  it.each([kfac({ fisher: 'exact' }), kfac({ fisher: 'monteCarlo' }), kfac({ fisher: 'empirical' })])('%j', async (curvature) => {
    const model = chain(classes);
    const run = () => train(model, [laplaceCallback({ likelihood: classes.likelihood, curvature, epochs: finalEpochs(1) })]);
    await expectNoLeak(run);
  });
});
