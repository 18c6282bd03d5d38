import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { FLOAT32, relativeError } from '../../support/math/numbers.js';
import { expectNoLeak } from '../../support/memory.js';
import { dataIds, expectSame, filled, kernel, onWasm } from './both.js';

onWasm();

/** The gradient of Σ dy · maxPool(x): `less` is taken from x, so that windows have negative maxima. */
const inPlane = (size: number[], window: number, stride: number, pad: 'same' | 'valid' | number, less: number) => () => {
  const x = tf.sub(filled(size, 1), less) as tf.Tensor4D;
  const pooled = tf.maxPool(x, window, stride, pad);
  return tf.grad((v: tf.Tensor) => tf.sum(tf.mul(tf.maxPool(v as tf.Tensor4D, window, stride, pad), filled(pooled.shape, 2))))(x);
};

const PLANES = [
  [[2, 6, 6, 3], 2, 2, 'valid'],
  [[2, 7, 5, 1], 2, 2, 'valid'],
  [[1, 7, 7, 2], 3, 2, 'same'],
  [[2, 6, 6, 2], 3, 1, 'same'],
  [[1, 6, 6, 2], 2, 3, 'valid'],
  [[1, 6, 6, 2], 3, 2, 1],
] as const;

describe.each([0, 0.5, 2])('with %d taken from numbers in [-1, 1)', (less) => {
  it.each(PLANES)('in the plane: %j, window %d, stride %d, %s', async (size, window, stride, pad) => {
    await expectSame(inPlane([...size], window, stride, pad, less), FLOAT32);
  });

  it.each([2, 3])('in space, window %d', async (window) => {
    await expectSame(() => tf.maxPool3d(tf.sub(filled([2, 5, 4, 5, 2], 1), less) as tf.Tensor5D, window, 2, 'same'), FLOAT32);
    await expectSame(() => {
      const x = tf.sub(filled([2, 5, 4, 5, 2], 1), less) as tf.Tensor5D;
      const pooled = tf.maxPool3d(x, window, 2, 'same');
      return tf.grad((v: tf.Tensor) =>
        tf.sum(tf.mul(tf.maxPool3d(v as tf.Tensor5D, window, 2, 'same'), filled(pooled.shape, 2))),
      )(x);
    }, FLOAT32);
  });
});

it.each([-1, 0])('of equal numbers, all %d, it goes where the plain backend sends it', async (value) => {
  await expectSame(() => {
    const x = tf.fill([1, 6, 6, 2], value) as tf.Tensor4D;
    return tf.grad((v: tf.Tensor) => tf.sum(tf.square(tf.add(tf.maxPool(v as tf.Tensor4D, 2, 2, 'valid'), 3))))(x);
  }, FLOAT32);
  await expectSame(() => {
    const x = tf.fill([1, 4, 4, 4, 2], value) as tf.Tensor5D;
    return tf.grad((v: tf.Tensor) => tf.sum(tf.square(tf.add(tf.maxPool3d(v as tf.Tensor5D, 2, 2, 'valid'), 3))))(x);
  }, FLOAT32);
});

it('is the difference quotient, also of windows with unequal sides, which the plain backend gets wrong in space', () => {
  const sides = fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
  fc.assert(
    fc.property(sides, (window) =>
      tf.tidy(() => {
        const f = (v: tf.Tensor) => tf.maxPool3d(v as tf.Tensor5D, window, 1, 'valid');
        const x = filled([1, 2, 3, 4, 1], 5);
        const dy = filled(f(x).shape as number[], 6);
        const gradient = kernel(
          'MaxPool3DGrad',
          { dy, input: x, output: f(x) },
          { filterSize: window, strides: 1, pad: 'valid' },
        );
        // Piecewise linear, and no two of the numbers are within 1e-3: the quotient is exact but for rounding, 6e-8 / 1e-3.
        const numbers = Array.from({ length: x.size }, (_, i) => {
          const step = tf.reshape(tf.mul(tf.oneHot(tf.tensor1d([i], 'int32'), x.size), 5e-4), x.shape);
          const rise = tf.sub(f(tf.add(x, step)), f(tf.sub(x, step)));
          return (tf.sum(tf.mul(rise, dy)).dataSync()[0] as number) / 1e-3;
        });
        expect(relativeError(gradient, numbers)).toBeLessThan(2e-3);
      }),
    ),
    { numRuns: 10, seed: 3 },
  );
});

it('takes a window of NaN for one without a maximum, as on the plain backend', async () => {
  await expectSame(() => {
    const x = tf.where(tf.less(tf.reshape(tf.range(0, 16), [1, 4, 4, 1]), 6), Number.NaN, filled([1, 4, 4, 1], 1));
    const attrs = { filterSize: 2, strides: 2, pad: 'valid' };
    return kernel('MaxPoolGrad', { dy: filled([1, 2, 2, 1], 2), input: x, output: tf.zeros([1, 2, 2, 1]) }, attrs);
  }, FLOAT32);
});

it('frees all that it makes', async () => {
  const run = () => tf.tidy(() => void inPlane([2, 6, 6, 3], 2, 2, 'valid', 0)());
  await expectNoLeak(run);
  const before = dataIds();
  run();
  expect(dataIds()).toBe(before);
});
