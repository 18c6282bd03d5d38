import * as tf from '@tensorflow/tfjs';
import { FLOAT32, relativeError } from '../../support/math/numbers.js';
import { expectNoLeak } from '../../support/memory.js';
import { dataIds, expectSame, filled, on, onWasm } from './both.js';

onWasm();

/** [m, k, n]: below and above the size from which products are ours, wide and tall, so that either way of transposing is taken. */
const SIZES = [
  [2, 3, 4],
  [30, 31, 32],
  [1, 130, 100],
  [100, 130, 1],
  [70, 3, 60],
  [3, 100, 50],
] as const;
const FLAGS = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;
/** Outer shapes of both sides: single, batches, one for all, rank 4, missing axes. */
const OUTER = [
  [[], []],
  [[1], [1]],
  [[3], [3]],
  [[1], [3]],
  [[3], [1]],
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], []],
  [
    [1, 1],
    [2, 3],
  ],
  [[3], [1, 1]],
] as const;

const CASES = SIZES.flatMap((size) => FLAGS.flatMap((flags) => OUTER.map((outer) => ({ size, flags, outer }))));

/** Operands of a product of these sizes. */
function operands({ size: [m, k, n], flags: [transposeA, transposeB], outer: [left, right] }: (typeof CASES)[number]) {
  const a = filled([...left, ...(transposeA ? [k, m] : [m, k])], 1);
  const b = filled([...right, ...(transposeB ? [n, k] : [k, n])], 2);
  return [a, b] as const;
}

it.each(CASES)('products of $size, transposed $flags, in batches $outer', async (one) => {
  await expectSame(() => tf.matMul(...operands(one), ...one.flags), FLOAT32);
});

it('leaves batches that both sides repeat to tfjs', async () => {
  const run = () => tf.matMul(filled([2, 1, 30, 30], 1), filled([1, 3, 30, 30], 2), true, false);
  expect((await on('wasm', run)).shape).toEqual([2, 3, 30, 30]);
});

it('refuses what tfjs refuses', () => {
  expect(() => tf.matMul(filled([40, 30], 1), filled([40, 30], 2))).toThrow(/inner shapes/);
});

describe('with bias and activation', () => {
  const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'prelu', 'leakyrelu'] as const;
  const fused = (activation: (typeof activations)[number], flags: readonly [boolean, boolean], outer: number[]) => () => {
    const [transposeA, transposeB] = flags;
    return tf.fused.matMul({
      a: filled([...outer, ...(transposeA ? [40, 30] : [30, 40])], 1) as tf.Tensor2D,
      b: filled([...outer, ...(transposeB ? [20, 40] : [40, 20])], 2) as tf.Tensor2D,
      transposeA,
      transposeB,
      bias: filled([20], 3),
      activation,
      ...(activation === 'prelu' ? { preluActivationWeights: filled([20], 4) } : {}),
      ...(activation === 'leakyrelu' ? { leakyreluAlpha: 0.3 } : {}),
    });
  };
  const cases = activations.flatMap((activation) =>
    FLAGS.flatMap((flags) => [[], [3]].map((outer) => ({ activation, flags, outer }))),
  );

  it.each(cases)('$activation, transposed $flags, in batches $outer', async ({ activation, flags, outer }) => {
    await expectSame(fused(activation, flags, outer), FLOAT32);
  });

  it('without a bias', async () => {
    await expectSame(() => {
      const [a, b] = [filled([40, 30], 1) as tf.Tensor2D, filled([40, 20], 2) as tf.Tensor2D];
      return tf.fused.matMul({ a, b, transposeA: true, activation: 'relu' });
    }, FLOAT32);
  });
});

it('a NaN spoils its row or column and nothing else, as on the plain backend', async () => {
  const spoiled = () => tf.where(tf.equal(tf.reshape(tf.range(0, 1200), [40, 30]), 65), Number.NaN, filled([40, 30], 1));
  const run = () => tf.isNaN(tf.matMul(spoiled(), filled([40, 20], 2), true, false));
  expect((await on('wasm', run)).numbers).toEqual((await on('cpu', run)).numbers);
});

it('frees all that it makes', async () => {
  const run = () =>
    tf.tidy(() => {
      for (const outer of OUTER) for (const flags of FLAGS) tf.matMul(...operands({ size: SIZES[1], flags, outer }), ...flags);
      tf.fused.matMul({
        a: filled([3, 40, 30], 1) as never,
        b: filled([3, 40, 20], 2) as never,
        transposeA: true,
        activation: 'elu',
      });
    });
  await expectNoLeak(run);
  const before = dataIds();
  run();
  expect(dataIds()).toBe(before);
});

it('is exact where the numbers are', () => {
  const [a, b] = [tf.range(0, 1024).reshape([32, 32]), tf.eye(32)];
  expect(relativeError(tf.matMul(a, b, true, true), tf.transpose(a))).toBe(0);
});
