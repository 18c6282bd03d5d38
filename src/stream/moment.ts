/**
 * Σ r rᵀ over rows r [R, d] (or over those of each group, [P, R, d]) that arrive in pieces, or a sum that arrives in summands, in two
 * steps: the pieces of a batch are staged in a bag, and committed once the batch has proved sound. Rows wait until there are `enough` of them, since one product of a tall matrix runs several times faster
 * than many of short ones. Holds at most twice as many rows plus those in bags, and two [d, d] matrices, on the device.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { SumShape } from '../curvature/layout.js';
import { fromDevice } from '../network/device.js';
import { gram } from '../network/matmul.js';
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
  sum: tf.Tensor | undefined;
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

export const emptyBag = (): Bag => ({ waiting: [], rows: 0, sum: undefined, products: 0 });

/** Puts rows into a bag; a reference is kept, so the caller may let its own go. Synchronous. */
export function stage(bag: Bag, rows: Rows): void {
  bag.waiting.push(reference(rows));
  bag.rows += rows.shape[rows.rank - 2] as number;
  if (bag.rows >= enough(widthOf(rows))) contract(bag);
}

/** Puts a summand into a bag. Synchronous. */
export const stageSum = (bag: Bag, summand: tf.Tensor): void => addTo(bag, reference(summand), 1);

const widthOf = (rows: Rows): number => rows.shape[rows.rank - 1] as number;

/** Frees what a bag holds. */
export function drop(bag: Bag): void {
  tf.dispose(bag.waiting);
  bag.sum?.dispose();
}

/**
 * An empty sum.
 *
 * @param most products that are added on the device before the host takes them: 1 spares memory, where adding takes the sum three times,
 *   for the time of a download each.
 */
export function createMoment({ rows, cols }: SumShape, most = FLUSH): Moment {
  const zero = (): Promise<Float64Array> => Promise.resolve(new Float64Array(rows * cols));
  let committed = emptyBag();
  // Each flush waits for the one before, so that a read sees what was committed before it and nothing that came after.
  let host = zero();

  const flush = (): Promise<Float64Array> => {
    const { sum } = committed;
    if (sum === undefined) return host;
    committed.sum = undefined;
    committed.products = 0;
    const values = fromDevice(sum.data()).finally(() => sum.dispose());
    host = Promise.all([host, values]).then(([total, more]) => {
      for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (more[i] as number);
      return total;
    });
    return host;
  };

  return {
    commit: (bag) => {
      committed.waiting.push(...bag.waiting);
      committed.rows += bag.rows;
      if (bag.sum !== undefined) addTo(committed, bag.sum, bag.products);
      if (committed.rows >= enough(cols)) contract(committed);
    },
    flushIfFull: async () => {
      if (committed.products >= most) await flush();
    },
    read: () => {
      contract(committed);
      return flush().then((total) => ({ rows, cols, data: total.slice() }));
    },
    reset: () => {
      drop(committed);
      committed = emptyBag();
      host = zero();
    },
  };
}

/** Multiplies the rows that wait. */
function contract(bag: Bag): void {
  if (bag.waiting.length === 0) return;
  const parts = bag.waiting;
  const [first] = parts as [Rows];
  // What was put together is freed before the product is made.
  const rows = parts.length === 1 ? first : tf.keep(tf.concat(parts as tf.Tensor2D[], first.rank - 2));
  if (parts.length > 1) tf.dispose(parts);
  const product = tf.tidy(() => tf.keep(gram(rows)));
  rows.dispose();
  bag.waiting = [];
  bag.rows = 0;
  addTo(bag, product, 1);
}

/** Adds a kept sum of so many products and frees what it replaces. */
function addTo(bag: Bag, sum: tf.Tensor, products: number): void {
  const previous = bag.sum;
  bag.products += products;
  if (previous === undefined) {
    bag.sum = sum;
    return;
  }
  bag.sum = tf.tidy(() => tf.keep(tf.add(previous, sum)));
  tf.dispose([previous, sum]);
}
