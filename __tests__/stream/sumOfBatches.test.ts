/** Sums of second moments: the triangle in blocks that lies on the device comes back as the whole matrix, and to the digit symmetric. */
import * as tf from '@tensorflow/tfjs';
import { blockRows } from '../../src/network/matmul.js';
import { createSumOfBatches, stage, stageSum } from '../../src/stream/sumOfBatches.js';
import { FLOAT32, inRows, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

const emptyBag = () => createSumOfBatches({ rows: 1, cols: 1 }).bag();

/** Rows with a pattern of their own in every column. */
const rowsOf = (R: number, d: number, from = 0): Float32Array =>
  Float32Array.from({ length: R * d }, (_, i) => Math.sin(1 + (from * d + i) * 0.37));

function gram64(rows: Float32Array, d: number): Float64Array {
  const sum = new Float64Array(d * d);
  for (let r = 0; r < rows.length; r += d) {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) sum[i * d + j] = (sum[i * d + j] as number) + (rows[r + i] as number) * (rows[r + j] as number);
    }
  }
  return sum;
}

it.each([
  [5, [3]],
  [512, [2]],
  [513, [3, 4]],
  [1025, [6, 1]],
])('of rows with %d columns in pieces of %j', async (d, pieces) => {
  const sum = createSumOfBatches({ rows: d, cols: d }, 1);
  const all = gram64(
    rowsOf(
      pieces.reduce((a, b) => a + b),
      d,
    ),
    d,
  );
  let from = 0;
  const reads: Array<readonly [read: Float64Array, then: Float64Array]> = [];
  for (const R of pieces) {
    const bag = emptyBag();
    tf.tidy(() => stage(bag, tf.tensor2d(rowsOf(R, d, from), [R, d])));
    sum.commit(bag);
    from += R;
    const { data } = await sum.read();
    reads.push([data, data.slice()]);
  }
  const { data } = await sum.read();
  expect(relativeError(data, all)).toBeLessThan(FLOAT32);
  if (d > 512) expect(data.every((v, at) => v === data[(at % d) * d + Math.floor(at / d)])).toBe(true);
  // What was read is a value: nothing that came later has changed it.
  for (const [read, then] of reads) expect(read.every((v, at) => v === then[at])).toBe(true);
  sum.reset();
});

it('adds summands as they are, and groups each for itself', async () => {
  const sum = createSumOfBatches({ rows: 2, cols: 3 });
  const bag = emptyBag();
  tf.tidy(() => {
    stageSum(bag, tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]));
    stageSum(bag, tf.tensor2d([10, 20, 30, 40, 50, 60], [2, 3]));
  });
  sum.commit(bag);
  expect(inRows((await sum.read()).data, 3)).toEqual([
    [11, 22, 33],
    [44, 55, 66],
  ]);

  const grouped = createSumOfBatches({ rows: 4, cols: 2 });
  const rows = emptyBag();
  tf.tidy(() => stage(rows, tf.tensor3d([[[1, 2]], [[3, 4]]])));
  grouped.commit(rows);
  expect(inRows((await grouped.read()).data, 2)).toEqual([
    [1, 2],
    [2, 4],
    [9, 12],
    [12, 16],
  ]);
});

it('of nothing is zero', async () => {
  expect((await createSumOfBatches({ rows: 2, cols: 2 }).read()).data).toEqual(new Float64Array(4));
});

it('leaks nothing, read or forgotten', () =>
  expectNoLeak(async () => {
    const sum = createSumOfBatches({ rows: 600, cols: 600 }, 1);
    for (let i = 0; i < 3; i++) {
      const bag = emptyBag();
      tf.tidy(() => stage(bag, tf.ones<tf.Rank.R2>([700, 600])));
      sum.commit(bag);
      await sum.flushIfFull();
    }
    await sum.read();
    const bag = emptyBag();
    tf.tidy(() => stage(bag, tf.ones<tf.Rank.R2>([3, 600])));
    sum.commit(bag);
    sum.reset();
  }));

it('blocks of a triangle are equally high and leave nothing out', () => {
  expect(blockRows(1200)).toEqual([
    { first: 0, end: 400 },
    { first: 400, end: 800 },
    { first: 800, end: 1200 },
  ]);
  expect(blockRows(512)).toEqual([{ first: 0, end: 512 }]);
});
