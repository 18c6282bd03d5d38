/**
 * Σ r rᵀ over rows r [R, d] that arrive in pieces, in two steps: pieces are staged, then committed once their batch has proved
 * sound, or rolled back. Rows wait until there are ROWS of them, since one product of a tall matrix runs several times faster
 * than many of short ones. Holds at most 2·ROWS rows plus one batch, and two [d, d] matrices, on the device.
 */
import * as tf from '@tensorflow/tfjs-core';
import { gram } from '../network/matmul.js';
import type { Matrix } from '../types.js';

/** From here on a product of tall rows runs at full speed (measured for d = 1200 on two cores). */
const ROWS = 1024;
/** Products summed in float32 before they move to float64. */
const FLUSH = 32;

export interface Moment {
  /** Takes rows [R, d]; a reference is kept, so the caller may let its own go. Synchronous. */
  readonly stage: (rows: tf.Tensor2D) => void;
  /** Makes what was staged part of the sum. */
  readonly commit: () => void;
  /** Forgets what was staged. */
  readonly rollback: () => void;
  /** Moves the device sum to the host when it holds FLUSH products. */
  readonly flushIfFull: () => Promise<void>;
  /** The committed sum as a value; the accumulation goes on. */
  readonly read: () => Promise<Matrix>;
  /** Forgets everything and frees the device. The moment can be used again. */
  readonly reset: () => void;
}

/** Rows that wait and the sum of those that were multiplied. */
interface Bag {
  waiting: tf.Tensor2D[];
  rows: number;
  sum: tf.Tensor2D | undefined;
  products: number;
}

const emptyBag = (): Bag => ({ waiting: [], rows: 0, sum: undefined, products: 0 });

export function createMoment(d: number): Moment {
  let host = new Float64Array(d * d);
  let staged = emptyBag();
  let committed = emptyBag();

  const flush = async (): Promise<void> => {
    const { sum } = committed;
    if (sum === undefined) return;
    committed.sum = undefined;
    committed.products = 0;
    const target = host;
    const values = await sum.data().finally(() => sum.dispose());
    for (let i = 0; i < values.length; i++) target[i] = (target[i] as number) + (values[i] as number);
  };

  return {
    stage: (piece) => {
      staged.waiting.push(tf.keep(tf.clone(piece)));
      staged.rows += piece.shape[0];
      if (staged.rows >= ROWS) contract(staged);
    },
    commit: () => {
      committed.waiting.push(...staged.waiting);
      committed.rows += staged.rows;
      if (staged.sum !== undefined) addTo(committed, staged.sum, staged.products);
      staged = emptyBag();
      if (committed.rows >= ROWS) contract(committed);
    },
    rollback: () => {
      drop(staged);
      staged = emptyBag();
    },
    flushIfFull: async () => {
      if (committed.products >= FLUSH) await flush();
    },
    read: async () => {
      contract(committed);
      await flush();
      return { rows: d, cols: d, data: host.slice() };
    },
    reset: () => {
      drop(staged);
      drop(committed);
      staged = emptyBag();
      committed = emptyBag();
      host = new Float64Array(d * d);
    },
  };
}

/** Multiplies the rows that wait. */
function contract(bag: Bag): void {
  if (bag.waiting.length === 0) return;
  const rows = bag.waiting;
  const product = tf.tidy(() => tf.keep(gram(rows.length === 1 ? (rows[0] as tf.Tensor2D) : tf.concat(rows, 0))));
  tf.dispose(rows);
  bag.waiting = [];
  bag.rows = 0;
  addTo(bag, product, 1);
}

/** Adds a kept sum of so many products and frees what it replaces. */
function addTo(bag: Bag, sum: tf.Tensor2D, products: number): void {
  const previous = bag.sum;
  bag.products += products;
  if (previous === undefined) {
    bag.sum = sum;
    return;
  }
  bag.sum = tf.tidy(() => tf.keep(tf.add(previous, sum)));
  tf.dispose([previous, sum]);
}

function drop(bag: Bag): void {
  tf.dispose(bag.waiting);
  bag.sum?.dispose();
}
