/**
 * Which gradients in f are sent back through the network for one batch, as seeds in chunks of bounded size:
 *
 *   exact        the columns of a square root of Λ            C rows an example   Martens & Grosse 2015; GGN = Fisher
 *   truncated    the largest of them                          few rows            see `truncated.ts`
 *   monteCarlo   gradients at labels drawn from the model     k rows an example   Martens & Grosse 2015
 *   empirical    gradients at the training labels             1 row an example    (a by-product of training)
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Seeds, uniformSeeds } from '../network/stack.js';
import type { Fisher } from './codec.js';
import { empiricalColumns } from './empirical.js';
import { exactColumns } from './exact.js';
import { monteCarloColumns } from './monteCarlo.js';
import type { Columns, Observation } from './observation.js';
import { largestRows } from './truncated.js';

/** The most rows that go through the network in one backward pass; more columns are sent in several. */
const MAX_ROWS = 8192;

/** Calls `send` with the seeds of one chunk after another, each in a `tf.tidy`; the number of rows that were sent. */
export function forSeeds(fisher: Fisher, observation: Observation, send: (seeds: Seeds) => void): number {
  const columns = weighted(columnsOf(fisher)(observation), observation.weights);
  const [K, B, C] = columns.shape;
  if (fisher._tag === 'truncated') return sendGathered(largestRows(columns, fisher.tolerance), columns, send);
  const chunk = Math.max(1, Math.floor(MAX_ROWS / B));
  for (let k = 0; k < K; k += chunk) {
    const size = Math.min(chunk, K - k);
    tf.tidy(() => send(uniformSeeds(size === K ? columns : tf.slice(columns, [k, 0, 0], [size, B, C]))));
  }
  return K * B;
}

function sendGathered(rows: Int32Array, columns: tf.Tensor3D, send: (seeds: Seeds) => void): number {
  const [K, B, C] = columns.shape;
  const all = tf.reshape(columns, [K * B, C]) as tf.Tensor2D;
  for (let first = 0; first < rows.length; first += MAX_ROWS) {
    const part = rows.subarray(first, first + MAX_ROWS);
    tf.tidy(() => {
      const examples = tf.tensor1d(
        part.map((row) => row % B),
        'int32',
      );
      send({ rows: tf.gather(all, tf.tensor1d(part, 'int32')), stack: { _tag: 'gathered', size: B, examples } });
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
