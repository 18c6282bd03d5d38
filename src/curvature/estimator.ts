/**
 * What an estimator is: a way to turn one observed batch into rows whose second moments are summed. `input` rows a [B, n] give
 * Σ a aᵀ, `gradient` rows g [R, m] give Σ g gᵀ. The estimators differ in the gradients that they send back:
 *
 *   exact        the columns of a square root of Λ            C rows an example   Martens & Grosse 2015; GGN = Fisher
 *   monteCarlo   gradients at labels drawn from the model     k rows an example   Martens & Grosse 2015
 *   empirical    gradients at the training labels             1 row an example    (a by-product of training)
 *   kfra         none: a recursion over layer sums            0 rows              Botev et al. 2017
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { backward } from '../network/backward.js';
import { homogeneous, type Tape } from '../network/forward.js';
import { type Block, type Network, withBlocks } from '../network/network.js';
import type { Curvature } from './codec.js';
import { empiricalColumns } from './empirical.js';
import { exactColumns } from './exact.js';
import type { Layout } from './factors.js';
import { kfraChain, kfraRows } from './kfra.js';
import { monteCarloColumns } from './monteCarlo.js';
import type { Columns, Observation, RowSink } from './observation.js';

/** The most rows that go through the network in one backward pass; more columns are sent in several. */
const MAX_ROWS = 8192;

/** The network whose blocks this estimator needs to gather, and the layout of its factors. */
export function prepare(network: Network, curvature: Curvature): E.Either<LaplaceError, { network: Network; layout: Layout }> {
  return F.pipe(
    withBlocks(network, curvature.layers),
    E.chain((chosen) => {
      const covered = chosen.blocks.map((b) => b.name);
      const gathered = curvature._tag === 'kfra' ? kfraChain(chosen) : E.right(chosen);
      return E.map((own: Network) => ({ network: own, layout: layoutOf(own, curvature, covered) }))(gathered);
    }),
  );
}

const layoutOf = (network: Network, curvature: Curvature, covered: ReadonlyArray<string>): Layout => ({
  estimator: curvature._tag,
  likelihood: network.likelihood,
  layers: network.blocks.map(({ name, n, m, bias }) => ({ name, n, m, bias })),
  covered,
});

/** Puts the rows of one batch into the sink. Allocates inside the caller's `tf.tidy`; the sink keeps what it wants. */
export function observeRows(curvature: Curvature, observation: Observation, sink: RowSink): void {
  const { network, tape } = observation;
  network.blocks.forEach((block, layer) => sink.input(layer, inputRows(block, tape)));
  if (curvature._tag === 'kfra') {
    kfraRows(observation, sink);
    return;
  }
  const layerOf = new Map(network.blocks.map((block, layer) => [block, layer]));
  const columns = columnsOf(curvature)(observation);
  const chunk = Math.max(1, Math.floor(MAX_ROWS / tape.size));
  for (let k = 0; k < columns.shape[0]; k += chunk) {
    const size = Math.min(chunk, columns.shape[0] - k);
    tf.tidy(() => {
      const seeds = tf.slice(columns, [k, 0, 0], [size, -1, -1]);
      backward(network, tape, seeds, (block, g) => sink.gradient(layerOf.get(block) as number, g));
    });
  }
}

/** Rows that an estimator sends back for each example: what its cost is proportional to. */
export function rowsPerExample(curvature: Curvature, outputs: number): number {
  switch (curvature._tag) {
    case 'exact':
      return outputs;
    case 'monteCarlo':
      return curvature.draws;
    case 'empirical':
      return 1;
    case 'kfra':
      return 0;
  }
}

/** Inputs of a block in homogeneous coordinates, [B, n]. */
export const inputRows = (block: Block, tape: Tape): tf.Tensor2D =>
  homogeneous(tape.values.get(block.op.input) as tf.Tensor2D, block.bias);

function columnsOf(curvature: Exclude<Curvature, { _tag: 'kfra' }>): Columns {
  switch (curvature._tag) {
    case 'exact':
      return exactColumns;
    case 'monteCarlo':
      return monteCarloColumns(curvature.draws);
    case 'empirical':
      return empiricalColumns;
  }
}
