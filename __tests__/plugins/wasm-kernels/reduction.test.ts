import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { FLOAT32 } from '../../support/math/numbers.js';
import { expectNoLeak } from '../../support/memory.js';
import { dataIds, expectSame, filled, on, onWasm } from './both.js';

onWasm();

/** Sizes on both sides of the one from which sums are ours. */
const SHAPES = [[5], [70, 60], [3, 4, 5], [9, 20, 30], [4, 6, 7, 30], [1, 5000, 1], [2, 1, 3000]];
const AXES = [undefined, [], [0], [1], [-1], [0, 1], [1, 0], [1, 2], [0, 2], [0, 1, 2], [-2, -3]];
const CASES = SHAPES.flatMap((shape) =>
  AXES.filter((axes = []) => axes.every((a) => a < shape.length && a >= -shape.length)).flatMap((axes) =>
    [false, true].map((keepDims) => ({ shape, axes, keepDims })),
  ),
);

const REDUCTIONS = { sum: tf.sum, mean: tf.mean };

describe.each(['sum', 'mean'] as const)('%s', (name) => {
  const reduce = REDUCTIONS[name];

  it.each(CASES)('$shape over $axes, keepDims $keepDims', async ({ shape, axes, keepDims }) => {
    // Numbers of one sign: sums of up to 5400 terms, one after another in float32, are off by some 1e-6 of themselves.
    await expectSame(() => reduce(tf.add(filled(shape, 1), 2), axes, keepDims), 4 * FLOAT32);
  });

  it('of whole numbers and truth values', async () => {
    await expectSame(() => reduce(tf.cast(tf.reshape(tf.range(0, 6000), [60, 100]), 'int32'), 0), FLOAT32);
    await expectSame(() => reduce(tf.greater(filled([60, 100], 1), 0), 0), FLOAT32);
  });

  it('keeps NaN and infinity to their columns, as the plain backend does', async () => {
    const spoiled = (value: number) =>
      tf.where(tf.equal(tf.reshape(tf.range(0, 6000), [60, 100]), 250), value, filled([60, 100], 1));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const run = () => tf.isFinite(reduce(spoiled(value), 0));
      const { numbers } = await on('wasm', run);
      expect(numbers).toEqual((await on('cpu', run)).numbers);
      expect(numbers.filter((finite) => finite === 0)).toHaveLength(1);
    }
  });
});

it('adds up a million rows', async () => {
  const { numbers } = await on('wasm', () => tf.sum(tf.ones([2 ** 20, 2]), 0));
  expect(numbers).toEqual([2 ** 20, 2 ** 20]);
});

describe('tile', () => {
  const size = fc.integer({ min: 1, max: 4 });
  const tiling = fc.array(fc.tuple(size, size), { minLength: 1, maxLength: 5 });

  const of = {
    float32: (x: tf.Tensor) => x,
    int32: (x: tf.Tensor) => tf.cast(tf.mul(x, 9), 'int32'),
    bool: (x: tf.Tensor) => tf.greater(x, 0),
  };

  it.each(['float32', 'int32', 'bool'] as const)('is that of the plain backend: %s', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(tiling, async (pairs) => {
        const [shape, reps] = [pairs.map(([n]) => n), pairs.map(([, times]) => times)];
        const run = () => tf.tile(of[dtype](filled(shape, 1)), reps);
        expect(await on('wasm', run)).toEqual(await on('cpu', run));
      }),
      { numRuns: 40, seed: 5 },
    );
  });

  it('of nothing and of a single number', async () => {
    for (const run of [
      () => tf.tile(tf.zeros([0, 2]), [2, 3]),
      () => tf.tile(tf.scalar(3), []),
      () => tf.tile(tf.ones([3]), [0]),
    ]) {
      expect(await on('wasm', run)).toEqual(await on('cpu', run));
    }
  });
});

it('frees all that it makes', async () => {
  const run = () =>
    tf.tidy(() => {
      tf.sum(filled([60, 100], 1), 0);
      tf.mean(filled([6, 100, 10], 1), 1, true);
      tf.tile(filled([2, 3], 1), [4, 5]);
    });
  await expectNoLeak(run);
  const before = dataIds();
  run();
  expect(dataIds()).toBe(before);
});
