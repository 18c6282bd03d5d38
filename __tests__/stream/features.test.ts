/** Features as an operator over inputs: which values they are, what it refuses, and what it leaves behind. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, Subject, take, toArray } from 'rxjs';
import { type FeaturesOptions, features, type InputSource, inputBatches, type Progress } from 'tfjs-laplace';
import { expectRefusal, expectRejection, rejection } from '../support/errors.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { tensor, withFixedWeights } from '../support/networks.js';

const made = () =>
  withFixedWeights(
    tf.sequential({
      layers: [
        tf.layers.conv1d({ name: 'map', inputShape: [6, 2], filters: 3, kernelSize: 3, activation: 'tanh' }),
        tf.layers.globalAveragePooling1d({ name: 'pool' }),
        tf.layers.dense({ name: 'hidden', units: 5, activation: 'relu' }),
        tf.layers.dropout({ name: 'drop', rate: 0.5 }),
        tf.layers.dense({ name: 'top', units: 4, activation: 'softmax' }),
      ],
    }),
  );
let model: tf.LayersModel;
let x: tf.Tensor;
beforeAll(() => {
  model = made();
  x = tensor([7, 6, 2], 3);
});
afterAll(() => tf.dispose(x));

const rows = async (sources: ReadonlyArray<InputSource> = [x], options: FeaturesOptions = {}, own = model) =>
  (await lastValueFrom(from(sources).pipe(features(own, options), toArray()))).flat().map((row) => Array.from(row));

/** What tfjs itself computes up to a layer. */
const expected = (layer: string): number[][] =>
  tf.tidy(() => {
    const at = model.layers.findIndex(({ name }) => name === layer);
    const value = model.layers.slice(0, at + 1).reduce((t, own) => own.apply(t) as tf.Tensor, x);
    return tf.reshape(value, [7, -1]).arraySync() as number[][];
  });
/** One float32 pass against another over a few products. */
const near = (table: number[][]) => table.map((row) => row.map((v) => expect.closeTo(v, 5)));

it('are the inputs of the last dense layer, or the outputs of a layer after its activation', async () => {
  expect(await rows()).toEqual(near(expected('hidden')));
  for (const layer of ['map', 'pool', 'hidden', 'top']) expect(await rows([x], { layer })).toEqual(near(expected(layer)));
});

it('come in the order of the batches, with progress, from inputs of every form', async () => {
  const events: Progress[] = [];
  const found = await rows(inputBatches(x, 3), { onProgress: (event) => events.push(event), total: 3 });
  expect(found).toEqual(near(expected('hidden')));
  expect(events.map(({ done, total }) => [done, total])).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
  expect(await rows([() => tensor([7, 6, 2], 3)])).toEqual(near(expected('hidden')));
});

it('of a network with one layer are its inputs', async () => {
  const single = withFixedWeights(tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] })] }));
  expect(
    await rows(
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      {},
      single,
    ),
  ).toEqual([
    [1, 2],
    [3, 4],
  ]);
  await expectNoLeak(() => rows([[[1, 2]]], {}, single));
  single.dispose();
});

describe('refuses', () => {
  it('options out of range, when the operator is made', () => {
    expectRefusal(() => features(model, { layer: '' }), 'layer');
    expectRefusal(() => features(model, { layers: 'map' } as never), 'layers');
  });

  it('layers that do not exist or compute nothing, and models that do not say what their features are', async () => {
    const error = await expectRejection(rows([x], { layer: 'hiden' }), 'InvalidModel', { field: 'layer' });
    expect(error.expected).toBe('map, pool, hidden, top');
    await expectRejection(rows([x], { layer: 'drop' }), 'InvalidModel');
    const input = tf.input({ shape: [2] });
    const several = tf.model({
      inputs: input,
      outputs: [tf.layers.dense({ units: 1 }).apply(input), tf.layers.dense({ units: 1 }).apply(input)] as tf.SymbolicTensor[],
    });
    await expectRejection(rows([[[1, 2]]], {}, several), 'InvalidModel', { found: '2 outputs' });
    const none = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 2] })] });
    await expectRejection(rows([tensor([1, 2, 2], 1)], {}, none), 'InvalidModel', { found: 'no dense layer' });
    several.dispose();
  });

  it('inputs of another shape, and models that are disposed, also between two batches', async () => {
    await expectRejection(rows([tensor([2, 3], 1)]), 'InvalidInput', { field: 'x' });
    const gone = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] })] });
    const second = () => {
      gone.dispose();
      return [[3, 4]];
    };
    await expectRejection(rows([[[1, 2]], second, [[5, 6]]], {}, gone), 'InvalidModel');
  });
});

describe('leaves nothing on the device', () => {
  it('when the batches end', async () => {
    await expectNoLeak(() => rows([...inputBatches(x, 4), () => tensor([2, 6, 2], 1)]));
    expect(x.isDisposed).toBe(false);
  });

  it('when a batch is refused', async () => {
    const wrong = tensor([2, 3], 1);
    await expectNoLeak(() => rejection(rows([x, wrong, x])));
    wrong.dispose();
  });

  it('when nobody listens any more, half-way', async () => {
    await expectNoLeak(() => lastValueFrom(from([x, x, x]).pipe(features(model), take(1))));
  });

  it('when nobody listens any more, before the first features', async () => {
    await expectNoLeak(async () => {
      const source = new Subject<InputSource>();
      const subscription = source.pipe(features(model)).subscribe();
      source.next(x);
      source.next(x);
      await Promise.resolve();
      subscription.unsubscribe();
      await settled();
    });
  });
});
