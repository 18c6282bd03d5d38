/**
 * Σ r rᵀ over rows r [R, d] (or over those of each group, [P, R, d]) that arrive in pieces, or a sum that arrives in summands, in two
 * steps: the pieces of a batch are staged in a bag, and committed once the batch has proved sound. Rows wait until there are `enough`
 * of them, since one product of a tall matrix runs several times faster than many of short ones. On the device lies the lower
 * triangle alone, in blocks (`gramBlocks`). Holds at most twice as many rows plus those in bags, and two triangles.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { SumShape } from '../curvature/structure/structure.js';
import { fromDevice } from '../network/device.js';
import { blockRows, gramBlocks } from '../network/matmul.js';
import { reference } from '../network/reference.js';
import type { Matrix } from '../types.js';

/** From here on a product of tall rows runs at full speed (measured for d = 1200 on two cores). */
const ROWS = 1024;
/** Narrow rows wait for these at least; others for no more than take the memory of their sum. */
const FEWEST = 256;
/** Products summed in float32 before they move to float64. */
const FLUSH = 32;

/** Rows [R, d] that are worth a product. */
const enough = (d: number): number => Math.min(ROWS, Math.max(d, FEWEST));

/** Rows [R, d], or [P, R, d] in P groups. */
type Rows = tf.Tensor2D | tf.Tensor3D;

/** Rows that wait, and the sum of those that were multiplied. */
export interface Bag {
  waiting: Rows[];
  rows: number;
  /** Blocks of the triangle, or the one tensor that summands are; none before the first. */
  sum: ReadonlyArray<tf.Tensor>;
  products: number;
}

export interface Moment {
  /** Makes what a bag holds part of the sum. */
  readonly commit: (bag: Bag) => void;
  /** Moves the device sum to the host when it holds as many products as it may. */
  readonly flushIfFull: () => Promise<void>;
  /** What is committed when this is called, as a value; the accumulation goes on. */
  readonly read: () => Promise<Matrix>;
  /** Forgets everything and frees the device. The moment can be used again. */
  readonly reset: () => void;
}

export const emptyBag = (): Bag => ({ waiting: [], rows: 0, sum: [], products: 0 });

/** Puts rows into a bag, for good: a tensor that the caller made for it, in its own tidy. Synchronous. */
export function stage(bag: Bag, rows: Rows): void {
  bag.waiting.push(tf.keep(rows));
  bag.rows += rows.shape[rows.rank - 2] as number;
  if (bag.rows >= enough(widthOf(rows))) contract(bag);
}

/** Puts a summand into a bag. Synchronous. */
export const stageSum = (bag: Bag, summand: tf.Tensor): void => addTo(bag, [reference(summand)], 1);

const widthOf = (rows: Rows): number => rows.shape[rows.rank - 1] as number;

/** Frees what a bag holds. */
export function drop(bag: Bag): void {
  tf.dispose([...bag.waiting, ...bag.sum]);
}

/**
 * An empty sum.
 *
 * @param most products that are added on the device before the host takes them: 1 spares memory, where adding takes the sum three times,
 *   for the time of a download each.
 */
export function createMoment({ rows, cols }: SumShape, most = FLUSH): Moment {
  let committed = emptyBag();
  // Each flush waits for the one before, so that a read sees what was committed before it and nothing that came after. The arrays
  // are never written to again: what was read stays.
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
      if (committed.rows >= enough(cols)) contract(committed);
    },
    flushIfFull: async () => {
      if (committed.products >= most) await flush();
    },
    read: () => {
      contract(committed);
      return flush().then((total) => ({ rows, cols, data: total ?? new Float64Array(rows * cols) }));
    },
    reset: () => {
      drop(committed);
      committed = emptyBag();
      host = Promise.resolve(undefined);
    },
  };
}

/** Multiplies the rows that wait. */
function contract(bag: Bag): void {
  if (bag.waiting.length === 0) return;
  const parts = bag.waiting;
  const [first] = parts as [Rows];
  // What was put together is freed before the product is made.
  const rows = parts.length === 1 ? first : tf.tidy(() => tf.keep(aligned(parts)));
  if (parts.length > 1) tf.dispose(parts);
  const product = tf.tidy(() => gramBlocks(rows).map((block) => tf.keep(block)));
  bag.waiting = [];
  bag.rows = 0;
  addTo(bag, product, 1);
}

/** Rows in multiples of which TensorFlow cuts blocks of columns without copying them. */
const ALIGNED = 16;

/** Pieces on top of each other, filled up with zeros: whatever their number, `truncated` keeps another one of every batch. */
function aligned(parts: ReadonlyArray<Rows>): Rows {
  const axis = (parts[0] as Rows).rank - 2;
  const missing = -parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0) & (ALIGNED - 1);
  const zeros = missing === 0 ? [] : [tf.zeros((parts[0] as Rows).shape.map((d, i) => (i === axis ? missing : d)))];
  return tf.concat([...parts, ...zeros] as tf.Tensor2D[], axis);
}

/** Adds a kept sum of so many products and frees what it replaces. */
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
    // Block by block, so that no third triangle is ever there.
    tf.dispose([before, block]);
    return both;
  });
}

/** Entries of a tile: its columns stay in the cache while it is mirrored. */
const TILE = 32;

/** The sum with what lay on the device, as a new array: blocks of a triangle and their mirror image, a single block as it is. */
function plus(total: Float64Array | undefined, { rows, cols: d }: SumShape, blocks: ReadonlyArray<Float32Array>): Float64Array {
  const sum = total?.slice() ?? new Float64Array(rows * d);
  // Fresh memory is written to without being read: reading it first costs as much again.
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

/** Copies what lies in a tile below the diagonal to above it. */
function mirror(sum: Float64Array, d: number, top: number, left: number): void {
  for (let i = top; i < Math.min(top + TILE, d); i++) {
    for (let j = left; j < Math.min(left + TILE, i); j++) sum[j * d + i] = sum[i * d + j] as number;
  }
}
