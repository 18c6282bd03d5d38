/** Labels of several outputs on their way: lists and records, and errors that say whose they are. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  type BatchSource,
  batches,
  fromDataset,
  gaussian,
  kfac,
  type LabelledBatch,
  observe,
  type TensorData,
} from 'tfjs-laplace';
import { expectRejection } from '../support/errors.js';
import { expectSameFactors, pass } from '../support/factors.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { expectNoLeak } from '../support/memory.js';

let model: tf.LayersModel;
let data: ReturnType<typeof headData>;
let digit: tf.Tensor;
let angle: tf.Tensor;
beforeAll(() => {
  ({ model } = twoHeads());
  data = headData(model, 5);
  ({ digit, angle } = data.y);
});

const factorsOf = (source: BatchSource) => lastValueFrom(of(source).pipe(observe(model, BOTH), accumulateFactors(kfac())));
const whole = (y: unknown) => factorsOf({ x: data.x, y } as LabelledBatch);

it.each<[string, () => TensorData['y']]>([
  ['a list', () => [digit, angle]],
  ['a record in another order', () => ({ angle, digit })],
])('are cut into batches in the form in which they are given: %s', async (_, labels) => {
  const y = labels();
  const expected = await pass(model, BOTH, data);
  expectSameFactors(await pass(model, BOTH, { x: data.x, y }), expected, 0);
  expect(expected.count).toBe(5);
  await expectNoLeak(() => pass(model, BOTH, { x: data.x, y }));
});

it('may be arrays in a record', async () => {
  const y = { digit: digit.arraySync(), angle: angle.arraySync() };
  expectSameFactors(await whole(y), await whole({ digit, angle }), 0);
});

it('of the only output may go by its name, or alone in a list', async () => {
  const own = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3], name: 'angle' })] });
  const run = (y: unknown) =>
    lastValueFrom(of({ x: data.x, y } as LabelledBatch).pipe(observe(own, gaussian()), accumulateFactors(kfac())));
  const expected = await run(angle);
  expectSameFactors(await run({ angle }), expected, 0);
  expectSameFactors(await run([angle]), expected, 0);
});

it('come from a dataset as records, and are freed', async () => {
  const element = () => ({ xs: data.x[0].clone(), ys: { digit: digit.clone(), angle: angle.clone() } });
  const dataset = () => {
    let left = 1;
    return {
      iterator: async () => ({
        next: async () => (left-- > 0 ? { value: element(), done: false } : { value: null, done: true }),
      }),
    };
  };
  const run = () => lastValueFrom(fromDataset(dataset()).pipe(observe(model, BOTH), accumulateFactors(kfac())));
  expectSameFactors(await run(), await whole({ digit, angle }), 0);
  await expectNoLeak(run);
});

it('an example of weight 2 is the example twice, in all outputs', async () => {
  const weights = tf.tensor1d([2, 1, 0, 1, 1]);
  const index = tf.tensor1d([0, 0, 1, 3, 4], 'int32');
  const again = { x: data.x.map((t) => tf.gather(t, index)), y: [tf.gather(digit, index), tf.gather(angle, index)] };
  const found = await lastValueFrom(from(batches({ ...data, weights }, 2)).pipe(observe(model, BOTH), accumulateFactors(kfac())));
  // Float32 sums in another order.
  expectSameFactors(found, await pass(model, BOTH, again), 1e-6);
});

describe('are refused', () => {
  it.each<[string, () => unknown, string]>([
    ['a tensor for two outputs', () => digit, '1'],
    ['a list that is too short', () => [digit], '1'],
    ['a list that is too long', () => [digit, angle, angle], '3'],
    ['a record that lacks one', () => ({ digit, angel: angle }), 'digit, angel'],
    ['an empty record', () => ({}), 'nothing'],
    ['nothing', () => undefined, '1'],
  ])('%s', async (_, y, found) => {
    await expectRejection(whole(y()), 'InvalidLabels', {
      field: 'y',
      found,
      message: expect.stringContaining('labels for digit, angle: a record by name, or a list') as never,
    });
  });

  it.each<[string, () => unknown, string, RegExp]>([
    [
      'of another shape',
      () => ({ digit, angle: tf.zeros([5, 3]) }),
      'y.angle',
      /labels of output 'angle' do not fit the gaussian/,
    ],
    [
      'of another length',
      () => ({ digit: tf.zeros([4]), angle }),
      'y.digit',
      /labels of output 'digit' do not fit the categorical/,
    ],
    ['out of range', () => ({ digit: tf.fill([5], 3), angle }), 'y.digit', /labels of output 'digit' of batch 0 .* out of range/],
  ])('labels %s', async (_, make, field, message) => {
    const y = make();
    await expectRejection(whole(y), 'InvalidLabels', { field, message: expect.stringMatching(message) as never });
    await expectNoLeak(() => whole(y).catch(() => {}));
  });

  it('labels out of range of any output', async () => {
    const swapped = tf.model({ inputs: model.inputs, outputs: [...model.outputs].reverse() });
    const batch = { x: data.x, y: { angle, digit: tf.fill([5], 1.5) } };
    const run = lastValueFrom(of(batch).pipe(observe(swapped, BOTH), accumulateFactors(kfac())));
    await expectRejection(run, 'InvalidLabels', { field: 'y.digit' });
  });

  it('labels that are not finite', async () => {
    await expectRejection(whole({ digit, angle: tf.fill([5, 2], Number.NaN) }), 'NotFinite', {
      field: 'y.angle',
      message: expect.stringMatching(/labels of output 'angle' of batch 0/) as never,
    });
  });

  it.each<[() => TensorData['y'], string]>([
    [() => ({ digit, angle: tf.zeros([4, 2]) }), 'y.angle'],
    [() => [digit, tf.zeros([4, 2])], 'y[1]'],
  ])('as a data set of different lengths: %#', (y, field) => {
    const [first] = batches({ x: data.x, y: y() }, 2);
    expect(first).toThrow(expect.objectContaining({ kind: 'InvalidLabels', field, found: '4 labels', expected: '5 labels' }));
  });
});
