/**
 * A sum over batches. Either rows r [R, d], or [P, R, d] for P groups, arrive in pieces, and the sum is Σ r rᵀ. Or summands
 * arrive, and are added up.
 *
 * It works in two steps. The pieces of a batch are staged in a bag, and the bag is committed once the batch has passed its
 * checks. Rows wait until there are `enough` of them, because one product of a tall matrix runs several times faster than many
 * products of short ones. The device holds only the lower triangle, in blocks (`gramBlocks`). It holds at most twice `enough`
 * rows, the rows in bags, and two triangles.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { SumShape } from '../curvature/structure/structure.js';
import { fromDevice } from '../network/device.js';
import { blockRows, gramBlocks } from '../network/matmul.js';
import { reference } from '../network/reference.js';
import type { Matrix } from '../types.js';

/** With this many rows a product runs at full speed (measured for d = 1200 on two cores). */
const ROWS = 1024;
/** The least number of rows for a product. Rows wider than this wait only until they take as much memory as their sum. */
const FEWEST = 256;
/** How many products are summed in float32 before the sum moves to float64. */
const FLUSH = 32;

/** How many rows [R, d] are enough for a product, if so many sums wait for rows of their own. Together they hold as many as one. */
const enough = (d: number, sums: number): number => Math.max(FEWEST, Math.min(ROWS, d) / sums);

/** Rows [R, d], or [P, R, d] for P groups. */
type Rows = tf.Tensor2D | tf.Tensor3D;

/** Rows that wait, and the sum over the rows that were multiplied already. */
export interface Bag {
  waiting: Rows[];
  /** How many rows wait. */
  rows: number;
  /** The blocks of the triangle, or one tensor for summands. Empty before the first product or summand. */
  sum: ReadonlyArray<tf.Tensor>;
  /** How many products or summands `sum` holds. */
  products: number;
  /** How many sums wait for rows of their own beside each other. */
  readonly sums: number;
}

/** One sum over batches. */
export interface SumOfBatches {
  /** Adds the contents of a bag to the sum, and takes its tensors over. */
  readonly commit: (bag: Bag) => void;
  /** An empty bag for what a batch adds. */
  readonly bag: () => Bag;
  /** Moves the sum from the device to the host if it holds as many products as it may. */
  readonly flushIfFull: () => Promise<void>;
  /** The sum of everything that is committed when this is called. The accumulation can go on meanwhile. */
  readonly read: () => Promise<Matrix>;
  /** Forgets everything and frees the device's memory. It can be used again. */
  readonly reset: () => void;
}

const emptyBag = (sums: number): Bag => ({ waiting: [], rows: 0, sum: [], products: 0, sums });

/** Puts rows into a bag, which takes the tensor over. The caller made it for this call, in its own tidy. Synchronous. */
export function stage(bag: Bag, rows: Rows): void {
  bag.waiting.push(tf.keep(rows));
  bag.rows += rows.shape[rows.rank - 2] as number;
  if (bag.rows >= enough(widthOf(rows), bag.sums)) contract(bag);
}

/** Puts a summand into a bag. Synchronous. */
export const stageSum = (bag: Bag, summand: tf.Tensor): void => addTo(bag, [reference(summand)], 1);

const widthOf = (rows: Rows): number => rows.shape[rows.rank - 1] as number;

/** Frees the tensors of a bag. */
export function drop(bag: Bag): void {
  tf.dispose([...bag.waiting, ...bag.sum]);
}

/**
 * Creates an empty sum.
 *
 * @param most how many products are added on the device before the sum moves to the host. Adding two sums takes three times the
 *   memory of one. 1 avoids this, but costs a download for each product.
 * @param sums how many sums wait for rows of their own beside each other
 */
export function createSumOfBatches({ rows, cols }: SumShape, most = FLUSH, sums = 1): SumOfBatches {
  let committed = emptyBag(sums);
  // Each flush waits for the flush before it. So a read sees everything that was committed before it, and nothing that came
  // after. The arrays are never written to again, so a value that was read stays valid.
  let host: Promise<Float64Array | undefined> = Promise.resolve(undefined);

  const flush = (): Promise<Float64Array | undefined> => {
    const { sum } = committed;
    if (sum.length === 0) return host;
    committed.sum = [];
    committed.products = 0;
    const blocks = fromDevice(Promise.all(sum.map((block) => block.data()))).finally(() => tf.dispose([...sum]));
    host = Promise.all([host, blocks]).then(([total, more]) => plus(total, { rows, cols }, more as Float32Array[]));
    return host;
  };

  return {
    commit: (bag) => {
      committed.waiting.push(...bag.waiting);
      committed.rows += bag.rows;
      if (bag.sum.length > 0) addTo(committed, bag.sum, bag.products);
      if (committed.rows >= enough(cols, sums)) contract(committed);
    },
    bag: () => emptyBag(sums),
    flushIfFull: async () => {
      if (committed.products >= most) await flush();
    },
    read: () => {
      contract(committed);
      return flush().then((total) => ({ rows, cols, data: total ?? new Float64Array(rows * cols) }));
    },
    reset: () => {
      drop(committed);
      committed = emptyBag(sums);
      host = Promise.resolve(undefined);
    },
  };
}

/** Multiplies the waiting rows and adds the product to the sum. */
function contract(bag: Bag): void {
  if (bag.waiting.length === 0) return;
  const parts = bag.waiting;
  const [first] = parts as [Rows];
  // The pieces are freed before the product is made.
  const rows = parts.length === 1 ? first : tf.tidy(() => tf.keep(aligned(parts)));
  if (parts.length > 1) tf.dispose(parts);
  const product = tf.tidy(() => gramBlocks(rows).map((block) => tf.keep(block)));
  bag.waiting = [];
  bag.rows = 0;
  addTo(bag, product, 1);
}

/** TensorFlow cuts blocks of columns without a copy if the number of rows is a multiple of this. */
const ALIGNED = 16;

/**
 * Stacks pieces on top of each other, and adds rows of zeros up to a multiple of `ALIGNED`. The number of rows can be anything,
 * because `truncated` keeps a different number for every batch.
 */
function aligned(parts: ReadonlyArray<Rows>): Rows {
  const axis = (parts[0] as Rows).rank - 2;
  const missing = -parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0) & (ALIGNED - 1);
  const zeros = missing === 0 ? [] : [tf.zeros((parts[0] as Rows).shape.map((d, i) => (i === axis ? missing : d)))];
  return tf.concat([...parts, ...zeros] as tf.Tensor2D[], axis);
}

/** Adds a kept sum of `products` products to a bag, and frees the tensors that are replaced. */
function addTo(bag: Bag, sum: ReadonlyArray<tf.Tensor>, products: number): void {
  const previous = bag.sum;
  bag.products += products;
  if (previous.length === 0) {
    bag.sum = sum;
    return;
  }
  bag.sum = sum.map((block, i) => {
    const before = previous[i] as tf.Tensor;
    const both = tf.tidy(() => tf.keep(tf.add(before, block)));
    // The blocks are freed one by one, so that there is never a third triangle.
    tf.dispose([before, block]);
    return both;
  });
}

/** Rows and columns of a tile. The columns of a tile stay in the cache while it is mirrored. */
const TILE = 32;

/**
 * Adds blocks from the device to the sum on the host, as a new array. Blocks of a triangle are completed by their mirror image. A
 * single block is complete already.
 */
function plus(total: Float64Array | undefined, { rows, cols: d }: SumShape, blocks: ReadonlyArray<Float32Array>): Float64Array {
  const sum = total?.slice() ?? new Float64Array(rows * d);
  // Without an earlier sum the fresh array is only written. Reading it first would double the cost.
  const put = (row: Float32Array, at: number): void => {
    if (total === undefined) sum.set(row, at);
    else for (let j = 0; j < row.length; j++) sum[at + j] = (sum[at + j] as number) + (row[j] as number);
  };
  if (blocks.length === 1) {
    put(blocks[0] as Float32Array, 0);
    return sum;
  }
  blockRows(d).forEach(({ first, end }, b) => {
    for (let i = first; i < end; i++) put((blocks[b] as Float32Array).subarray((i - first) * end, (i - first + 1) * end), i * d);
  });
  for (let top = 0; top < d; top += TILE) {
    for (let left = 0; left <= top; left += TILE) mirror(sum, d, top, left);
  }
  return sum;
}

/** Copies the entries of a tile below the diagonal to their mirror images above it. */
function mirror(sum: Float64Array, d: number, top: number, left: number): void {
  for (let i = top; i < Math.min(top + TILE, d); i++) {
    for (let j = left; j < Math.min(left + TILE, i); j++) sum[j * d + i] = sum[i * d + j] as number;
  }
}
