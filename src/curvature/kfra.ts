/**
 * `kfra` (Botev, Ritter & Barber 2017, section 3.4): no backward pass over examples. A batch gives, for every layer but the
 * last, the slopes φ'(z) [B, m], whose second moments the recursion in `moments.ts` needs, and for the last layer the columns
 * of a square root of Λ. Chains of dense layers with entry-wise activations only; exact for G of the last layer.
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { slopes } from '../network/backward.js';
import type { Tape } from '../network/forward.js';
import { type Block, type Network, withBlocks } from '../network/network.js';
import { type DenseOp, type Op, outputsOf } from '../network/ops.js';
import type { Observation, RowSink } from './observation.js';

/** The network with a block for every dense layer from the lowest covered one up: the recursion runs through all of them. */
export function kfraChain(network: Network): E.Either<LaplaceError, Network> {
  const start = network.ops.indexOf(network.blocks[0]?.op as Op);
  const chain = network.ops.slice(start);
  const foreign = chain.find((op, i) => op.kind === 'opaque' || (i > 0 && op.input !== outputsOf(chain[i - 1] as Op)[0]));
  if (foreign !== undefined) {
    const { name } = foreign.layer;
    return E.left(
      laplaceError('UnsupportedLayer', {
        what: `kfra cannot go through '${name}'`,
        layer: name,
        found: foreign.kind === 'opaque' ? 'a layer that is neither dense nor an entry-wise activation' : 'a branch',
        expected: 'a chain of dense layers with entry-wise activations from the lowest covered layer up',
        remedy: "Use kfac({ fisher: 'exact' }), which takes any graph.",
      }),
    );
  }
  return withBlocks(
    network,
    chain.filter((op): op is DenseOp => op.kind === 'dense').map((op) => op.layer.name),
  );
}

/** Slopes of each layer's own activation, and the output columns for the last layer. */
export function kfraRows({ network, tape, targets }: Observation, sink: RowSink): void {
  const last = network.blocks.length - 1;
  network.blocks.forEach((block, layer) => {
    const slope = ownSlopes(network, block, tape);
    if (layer < last) {
      sink.gradient(layer, slope);
      return;
    }
    const columns = network.likelihoodOps.hessianRoot(tape.outputs, targets);
    const [K, B, C] = columns.shape;
    sink.gradient(layer, tf.reshape(tf.mul(columns, tf.expandDims(slope, 0)), [K * B, C]));
  });
}

/** φ'(z) [B, m] of the activations between this layer and the next dense one: ones where there is none. */
function ownSlopes(network: Network, block: Block, tape: Tape): tf.Tensor2D {
  const z = tape.values.get(block.op.output) as tf.Tensor2D;
  let slope: tf.Tensor = tf.onesLike(z);
  for (const op of network.ops.slice(network.ops.indexOf(block.op) + 1)) {
    if (op.kind !== 'elementwise') break;
    slope = tf.mul(slope, slopes(op, tape.values.get(op.input) as tf.Tensor));
  }
  return slope as tf.Tensor2D;
}
