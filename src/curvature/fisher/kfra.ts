/**
 * The rows of `kfra` (Botev, Ritter & Barber 2017, section 3.4), which needs no backward pass. From a batch each layer but the
 * last takes its slopes φ'(z) [B, m], whose second moments the recursion in `moments.ts` needs. The last layer takes the columns
 * of a square root of Λ. Only chains of dense layers with entry-wise activations are supported. G of the last layer is exact.
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../../errors.js';
import { slopes } from '../../network/backward.js';
import type { Tape } from '../../network/forward.js';
import type { Block, Network } from '../../network/network.js';
import { type LinearOp, type Op, outputsOf, type ValueId } from '../../network/ops.js';
import { coveredBy } from '../choice.js';
import type { Curvature } from '../codec.js';
import type { Observation, Sink } from '../observation.js';

/**
 * The network with a block for every dense layer from the lowest covered one up, because the recursion runs through all of them.
 */
export function kfraChain(network: Network, curvature: Curvature): E.Either<LaplaceError, Network> {
  if (network.heads.length > 1) {
    return E.left(
      laplaceError('UnsupportedLayer', {
        what: 'kfra cannot go through a model of several outputs',
        layer: network.heads.map(({ name }) => name).join(', '),
        found: 'a branch for each output',
        expected: 'a chain of dense layers with entry-wise activations from the lowest covered layer up',
        remedy: "Use kfac({ fisher: 'exact' }), which takes any graph.",
      }),
    );
  }
  const start = network.ops.indexOf(network.blocks[0]?.ops[0] as Op);
  const chain = network.ops.slice(start);
  const inChain = (op: Op, i: number): boolean =>
    op.kind !== 'opaque' && (i === 0 || op.input === outputsOf(chain[i - 1] as Op)[0]) && (op.kind !== 'linear' || isPlain(op));
  const foreign = chain.find((op, i) => !inChain(op, i));
  if (foreign !== undefined) {
    const { name } = foreign.layer;
    return E.left(
      laplaceError('UnsupportedLayer', {
        what: `kfra cannot go through '${name}'`,
        layer: name,
        found:
          foreign.kind === 'elementwise' ? 'a branch' : 'a layer that is neither dense on vectors nor an entry-wise activation',
        expected: 'a chain of dense layers with entry-wise activations from the lowest covered layer up',
        remedy: "Use kfac({ fisher: 'exact' }), which takes any graph.",
      }),
    );
  }
  return coveredBy(
    network,
    curvature,
    chain.filter((op) => op.kind === 'linear').map((op) => op.layer.name),
  );
}

/** Whether a layer is a dense layer on vectors: one position, one group, two factors. */
const isPlain = ({ map, layer }: LinearOp): boolean => layer.getClassName() === 'Dense' && map.positions === 1;

/**
 * Puts the slopes of each layer's own activation into the sink; the last layer's slopes are multiplied by the columns of a root
 * of Λ.
 *
 * @returns 0, the number of rows that were sent back
 */
export function kfraRows({ network, tape, targets, weights }: Observation, sink: Sink): number {
  const last = network.blocks.length - 1;
  const B = tape.size;
  const roots = weights === undefined ? undefined : tf.reshape(tf.sqrt(weights), [B, 1]);
  network.blocks.forEach((block, layer) => {
    const own = ownSlopes(network, block, tape);
    const slope = roots === undefined ? own : tf.mul(own, roots);
    if (layer < last) {
      sink.gram(layer, 'gradient', slope as tf.Tensor2D);
      return;
    }
    const columns = network.likelihoodOps.hessianRoot(tape.outputs, targets);
    const [K, , C] = columns.shape;
    sink.gram(layer, 'gradient', tf.reshape(tf.mul(columns, tf.expandDims(slope, 0)), [K * B, C]) as tf.Tensor2D);
  });
  return 0;
}

/** φ'(z) [B, m] for the activations between this layer and the next dense one; ones if there is no activation. */
function ownSlopes(network: Network, block: Block, tape: Tape): tf.Tensor2D {
  const op = block.ops[0] as LinearOp;
  const valueAt = (id: ValueId): tf.Tensor => tape.values.get(id) as tf.Tensor;
  let slope = tf.onesLike(valueAt(op.output));
  for (const next of network.ops.slice(network.ops.indexOf(op) + 1)) {
    if (next.kind !== 'elementwise') break;
    slope = tf.mul(slope, slopes(next, valueAt(next.input), valueAt(next.output)));
  }
  return slope as tf.Tensor2D;
}
