/** Decompositions that are asked for in one turn run together by size, and each gives what it would alone. */
import * as tf from '@tensorflow/tfjs';
import { option as O } from 'fp-ts';
import type { Matrix } from 'tfjs-laplace';
import { batching } from '../../src/linalg/batching.js';
import type { Decomposition } from '../../src/linalg/canonical.js';
import type { Kernels } from '../../src/linalg/operations.js';
import { batchingTensorflowEngine, tensorflowEngine } from '../../src/linalg/tensorflow.js';
import { rejection } from '../support/errors.js';
import { kindOf, right } from '../support/math/laplace.js';
import { matrixOf, secondMoment } from '../support/math/posteriors64.js';

/** A matrix that says which it is. */
const marked = (n: number, mark: number): Matrix => ({ rows: n, cols: n, data: new Float64Array(n * n).fill(mark) });
/** What the pretended engine makes of it. */
const made = (a: Matrix): Decomposition => ({ values: a.data.slice(0, a.rows), vectors: a });
const kernels = { multiply: (a: Matrix) => a } as unknown as Kernels;

it('puts matrices of one size together, and gives each its own', async () => {
  const together = jest.fn((all: ReadonlyArray<Matrix>) => all.map(made));
  const { symmetricEigen } = batching(kernels, together);
  const asked = [marked(2, 1), marked(3, 2), marked(2, 3), marked(3, 4), marked(1, 5)];
  const found = await Promise.all(asked.map(symmetricEigen));
  expect(found.map(({ values }) => values[0])).toEqual([1, 2, 3, 4, 5]);
  expect(together.mock.calls.map(([all]) => all.map((a) => a.data[0]))).toEqual([[1, 3], [2, 4], [5]]);
  // A later turn is a batch of its own.
  await symmetricEigen(marked(2, 6));
  expect(together).toHaveBeenCalledTimes(4);
});

it.each([
  [20, 2, [16, 4]],
  [3, 3000, [1, 1, 1]],
])('takes of %d matrices with %d rows no more together than memory allows', async (count, n, sizes) => {
  const together = jest.fn((all: ReadonlyArray<Matrix>) => all.map(made));
  const { symmetricEigen } = batching(kernels, together);
  const shared = marked(n, 1);
  await Promise.all(Array.from({ length: count }, () => symmetricEigen(shared)));
  expect(together.mock.calls.map(([all]) => all.length)).toEqual(sizes);
});

it('a batch that fails takes no other with it', async () => {
  const together = (all: ReadonlyArray<Matrix>): Decomposition[] => {
    if (all[0]?.rows === 2) throw new Error('no convergence');
    return all.map(made);
  };
  const { symmetricEigen } = batching(kernels, together);
  const [first, second, third] = await Promise.allSettled([marked(2, 1), marked(3, 2), marked(2, 3)].map(symmetricEigen));
  expect([first?.status, second?.status, third?.status]).toEqual(['rejected', 'fulfilled', 'rejected']);
});

it('lets others have a turn between batches, and ends when it is closed in one', async () => {
  const together = jest.fn((all: ReadonlyArray<Matrix>) => all.map(made));
  const { symmetricEigen, close } = batching(kernels, together);
  const [first, second] = [symmetricEigen(marked(2, 1)), symmetricEigen(marked(3, 2))];
  void first.then(close);
  expect(await rejection(second)).toMatchObject({ kind: 'Backend' });
  expect(together).toHaveBeenCalledTimes(1);
});

it("TensorFlow's engine gives to the bit what it gives one by one, and errors as values", async () => {
  const alone = tensorflowEngine();
  const waited = batchingTensorflowEngine();
  expect(O.isSome(waited)).toBe(tf.getBackend() === 'tensorflow');
  if (O.isNone(alone) || O.isNone(waited)) return;
  const session = waited.value.open();
  const matrices = [
    matrixOf(secondMoment(5, 1)),
    matrixOf(secondMoment(7, 2)),
    matrixOf(secondMoment(5, 3)),
    matrixOf(secondMoment(5, 4)),
  ];
  const found = await Promise.all(matrices.map((a) => session.symmetricEigen(a)()));
  expect(found.map(right)).toEqual(matrices.map((a) => right(alone.value.symmetricEigen(a))));
  expect(
    kindOf(
      await session.symmetricEigen(
        matrixOf([
          [1, 2],
          [3, 4],
        ]),
      )(),
    ),
  ).toBe('InvalidInput');
  const [a, b] = [matrixOf(secondMoment(3, 1)), matrixOf(secondMoment(3, 2))];
  expect(await session.multiply(a, b)()).toEqual(alone.value.multiply(a, b));
  expect(await session.cholesky(a)()).toEqual(alone.value.cholesky(a));
  const l = right(alone.value.cholesky(a));
  expect(await session.triangularSolve(l, b)()).toEqual(alone.value.triangularSolve(l, b));
  session.close();
  for (const task of [session.symmetricEigen(a), session.multiply(a, b), session.cholesky(a), session.triangularSolve(l, b)]) {
    expect(await task()).toMatchObject({ left: { kind: 'Backend' } });
  }
});
