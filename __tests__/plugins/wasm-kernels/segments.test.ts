import * as tf from '@tensorflow/tfjs';
import { FLOAT32 } from '../../support/math/numbers.js';
import { expectNoLeak } from '../../support/memory.js';
import { dataIds, expectSame, filled, on, onWasm } from './both.js';

onWasm();

const ids = (values: number[]): tf.Tensor1D => tf.tensor1d(values, 'int32');

it.each([[[4]], [[4, 3]], [[4, 2, 3]]])('adds rows of %j by their segment, leaving out those of none', async (shape) => {
  await expectSame(() => tf.unsortedSegmentSum(filled(shape, 1), ids([2, 0, 2, 5]), 3), FLOAT32);
  await expectSame(() => tf.unsortedSegmentSum(filled(shape, 1), ids([1, -1, 1, 1]), 4), FLOAT32);
});

it('is the gradient of a gather', async () => {
  await expectSame(() => {
    const run = (x: tf.Tensor) => tf.sum(tf.mul(tf.gather(x, ids([3, 0, 3, 3])), filled([4, 2], 2)));
    return tf.grad(run)(filled([5, 2], 1));
  }, FLOAT32);
});

it('gives whole numbers as the plain backend does', async () => {
  const run = () => tf.unsortedSegmentSum(tf.tensor1d([1, 2, 3], 'int32'), ids([0, 1, 0]), 2);
  expect(await on('wasm', run)).toEqual(await on('cpu', run));
});

it('keeps a NaN to its segment, as TensorFlow does; the plain backend spoils them all', async () => {
  const run = () => tf.isNaN(tf.unsortedSegmentSum(tf.tensor1d([Number.NaN, 1, 2]), ids([1, 0, 2]), 3));
  expect((await on('wasm', run)).numbers).toEqual([0, 1, 0]);
});

it('frees all that it makes', async () => {
  const run = () => tf.tidy(() => void tf.unsortedSegmentSum(filled([4, 3], 1), ids([2, 0, 2, 5]), 3));
  await expectNoLeak(run);
  const before = dataIds();
  run();
  expect(dataIds()).toBe(before);
});
