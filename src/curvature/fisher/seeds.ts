/**
 * The gradients in f that a Fisher matrix sends back through the network for one batch. They come as seeds, in chunks of bounded
 * size:
 *
 *   exact        the columns of a square root of Λ            C rows an example   Martens & Grosse 2015; GGN = Fisher
 *   truncated    the largest of these columns                 few rows            see `truncated.ts`
 *   monteCarlo   gradients at labels drawn from the model     k rows an example   Martens & Grosse 2015
 *   empirical    gradients at the training labels             1 row an example    (a by-product of training)
 *   customFisher the columns of the user's own function       K rows an example   see `custom.ts`
 */
import * as tf from '@tensorflow/tfjs-core';
import { CHUNK, MOST_ROWS } from '../../limits.js';
import { valuesOf } from '../../network/costs.js';
import type { Tape } from '../../network/forward.js';
import { type Seeds, uniformSeeds } from '../../network/stack.js';
import { foldIn } from '../../random/key.js';
import type { Observation } from '../observation.js';
import { type Fisher, fisherRule } from './index.js';

/** The most rows for one backward pass, so that no value of the network exceeds `CHUNK`. */
const rowsAtOnce = (tape: Tape): number => Math.max(1, Math.min(MOST_ROWS, Math.floor(CHUNK / valuesOf(tape).widest)));

/** Takes the seeds of one chunk, and the number of their column if columns are sent one by one. */
type Send = (seeds: Seeds, column?: number) => void;

/**
 * Calls `send` with the seeds of one chunk after another, each in a `tf.tidy`.
 *
 * @param oneByOne whether no chunk holds rows of several columns
 * @returns the number of rows that were sent
 */
export function forSeeds(fisher: Fisher, observation: Observation, send: Send, oneByOne = false): number {
  const { network, tape } = observation;
  const B = tape.size;
  const C = network.outputs;
  const { rowsPerExample, kept } = fisherRule(fisher);
  const step = Math.max(1, Math.floor(CHUNK / (rowsPerExample(fisher, C) * C)));
  const most = rowsAtOnce(tape);
  let sent = 0;
  for (let first = 0; first < B; first += step) {
    const count = Math.min(step, B - first);
    tf.tidy(() => {
      const all = columnsFor(fisher, observation, first, count);
      for (const [k, columns] of (oneByOne ? (tf.split(all, all.shape[0]) as tf.Tensor3D[]) : [all]).entries()) {
        const own: Send = oneByOne ? (seeds) => send(seeds, k) : send;
        sent +=
          count === B && kept === undefined
            ? sendUniform(columns, most, own)
            : sendGathered(kept?.(fisher, columns) ?? everyRow(columns), columns, { first, size: B, most }, own);
      }
    });
  }
  return sent;
}

/** The columns [K, count, C] for the `count` examples of the batch from `first` on. */
function columnsFor(
  fisher: Fisher,
  { network, tape, targets, key, weights }: Observation,
  first: number,
  count: number,
): tf.Tensor3D {
  const whole = count === tape.size;
  const part = <T extends tf.Tensor>(t: T): T =>
    whole ? t : tf.slice(t, [first, ...new Array<number>(t.rank - 1).fill(0)], [count, ...t.shape.slice(1)]);
  const columns = fisherRule(fisher).columns(fisher)({
    likelihoodOps: network.likelihoodOps,
    outputs: part(tape.outputs),
    targets: part(targets),
    key: whole ? key : foldIn(key, first),
  });
  return weighted(columns, weights && part(weights));
}

/** Sends all columns [K, B, C] of a whole batch, some of the K at a time. Returns the number of rows. */
function sendUniform(columns: tf.Tensor3D, most: number, send: (seeds: Seeds) => void): number {
  const [K, B, C] = columns.shape;
  const chunk = Math.max(1, Math.floor(most / B));
  for (let k = 0; k < K; k += chunk) {
    const size = Math.min(chunk, K - k);
    tf.tidy(() => send(uniformSeeds(size === K ? columns : tf.slice(columns, [k, 0, 0], [size, B, C]))));
  }
  return K * B;
}

/** The indices k·count + b of all rows. */
const everyRow = ({ shape: [K, count] }: tf.Tensor3D): Int32Array => Int32Array.from({ length: K * count }, (_, row) => row);

/**
 * Sends the chosen rows of `columns`, each with the place of its example in the batch. Returns the number of rows.
 *
 * @param rows indices k·count + b
 */
function sendGathered(
  rows: Int32Array,
  columns: tf.Tensor3D,
  { first, size, most }: { readonly first: number; readonly size: number; readonly most: number },
  send: (seeds: Seeds) => void,
): number {
  const [K, count, C] = columns.shape;
  const all = tf.reshape(columns, [K * count, C]) as tf.Tensor2D;
  for (let start = 0; start < rows.length; start += most) {
    const part = rows.subarray(start, start + most);
    tf.tidy(() => {
      const examples = tf.tensor1d(
        part.map((row) => first + (row % count)),
        'int32',
      );
      send({ rows: tf.gather(all, tf.tensor1d(part, 'int32')), stack: { _tag: 'gathered', size, examples } });
    });
  }
  return rows.length;
}

/** Scales gradients by √w, which scales their second moments by w: an example of weight w counts w times. */
const weighted = (columns: tf.Tensor3D, weights: tf.Tensor1D | undefined): tf.Tensor3D =>
  weights === undefined ? columns : tf.mul(columns, tf.reshape(tf.sqrt(weights), [1, -1, 1]));
