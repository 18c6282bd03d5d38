/**
 * Which gradients in f are sent back through the network for one batch, as seeds in chunks of bounded size:
 *
 *   exact        the columns of a square root of Λ            C rows an example   Martens & Grosse 2015; GGN = Fisher
 *   truncated    the largest of them                          few rows            see `truncated.ts`
 *   monteCarlo   gradients at labels drawn from the model     k rows an example   Martens & Grosse 2015
 *   empirical    gradients at the training labels             1 row an example    (a by-product of training)
 */
import * as tf from '@tensorflow/tfjs-core';
import { CHUNK, MOST_ROWS } from '../../limits.js';
import { valuesOf } from '../../network/costs.js';
import type { Tape } from '../../network/forward.js';
import { type Seeds, uniformSeeds } from '../../network/stack.js';
import { foldIn } from '../../random/key.js';
import type { Fisher } from '../codec.js';
import type { Columns, Observation } from '../observation.js';
import { empiricalColumns } from './empirical.js';
import { exactColumns } from './exact.js';
import { monteCarloColumns } from './monteCarlo.js';
import { largestRows } from './truncated.js';

/** Rows of one backward pass: so many that no value of the network, of all rows together, is larger than a chunk. */
const rowsAtOnce = (tape: Tape): number => Math.max(1, Math.min(MOST_ROWS, Math.floor(CHUNK / valuesOf(tape).widest)));

/** Calls `send` with the seeds of one chunk after another, each in a `tf.tidy`; the number of rows that were sent. */
export function forSeeds(fisher: Fisher, observation: Observation, send: (seeds: Seeds) => void): number {
  const { network, tape } = observation;
  const B = tape.size;
  const C = network.outputs;
  const step = Math.max(1, Math.floor(CHUNK / (rowsPerExample(fisher, C) * C)));
  const most = rowsAtOnce(tape);
  let sent = 0;
  for (let first = 0; first < B; first += step) {
    const count = Math.min(step, B - first);
    tf.tidy(() => {
      const columns = columnsFor(fisher, observation, first, count);
      sent +=
        count === B && fisher._tag !== 'truncated'
          ? sendUniform(columns, most, send)
          : sendGathered(rowsOf(fisher, columns), columns, { first, size: B, most }, send);
    });
  }
  return sent;
}

/** The columns [K, count, C] of some examples of the batch. */
function columnsFor(
  fisher: Fisher,
  { network, tape, targets, key, weights }: Observation,
  first: number,
  count: number,
): tf.Tensor3D {
  const whole = count === tape.size;
  const part = <T extends tf.Tensor>(t: T): T =>
    whole ? t : tf.slice(t, [first, ...new Array<number>(t.rank - 1).fill(0)], [count, ...t.shape.slice(1)]);
  const columns = columnsOf(fisher)({
    likelihoodOps: network.likelihoodOps,
    outputs: part(tape.outputs),
    targets: part(targets),
    key: whole ? key : foldIn(key, first),
  });
  return weighted(columns, weights && part(weights));
}

/** All of them, copy after copy. */
function sendUniform(columns: tf.Tensor3D, most: number, send: (seeds: Seeds) => void): number {
  const [K, B, C] = columns.shape;
  const chunk = Math.max(1, Math.floor(most / B));
  for (let k = 0; k < K; k += chunk) {
    const size = Math.min(chunk, K - k);
    tf.tidy(() => send(uniformSeeds(size === K ? columns : tf.slice(columns, [k, 0, 0], [size, B, C]))));
  }
  return K * B;
}

/** Numbers k·count + b of the rows that are sent. */
const rowsOf = (fisher: Fisher, columns: tf.Tensor3D): Int32Array =>
  fisher._tag === 'truncated'
    ? largestRows(columns, fisher.tolerance)
    : Int32Array.from({ length: columns.shape[0] * columns.shape[1] }, (_, row) => row);

/** Those rows, each with its example's place in the batch. */
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

/** √w on the gradients is w on their second moments: an example of weight w counts w times. */
const weighted = (columns: tf.Tensor3D, weights: tf.Tensor1D | undefined): tf.Tensor3D =>
  weights === undefined ? columns : tf.mul(columns, tf.reshape(tf.sqrt(weights), [1, -1, 1]));

function columnsOf(fisher: Fisher): Columns {
  switch (fisher._tag) {
    case 'exact':
    case 'truncated':
      return exactColumns;
    case 'monteCarlo':
      return monteCarloColumns(fisher.draws);
    case 'empirical':
      return empiricalColumns;
  }
}

/** The most rows that a Fisher matrix sends back for each example: what its cost is proportional to. */
export function rowsPerExample(fisher: Fisher, outputs: number): number {
  switch (fisher._tag) {
    case 'exact':
    case 'truncated':
      return outputs;
    case 'monteCarlo':
      return fisher.draws;
    case 'empirical':
      return 1;
  }
}
