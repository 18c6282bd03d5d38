/** One observed training step: what the taps captured, as a batch that estimators understand. */
import * as tf from '@tensorflow/tfjs-core';
import { type BatchTensors, type BlockRows, type LossMatch, laplaceError, type Network } from 'tfjs-laplace';
import type { Captured } from './taps.js';

/**
 * The batch of a step. `scale` takes a gradient of the training loss to one of the NLL; the training loss is a batch mean of losses
 * times the examples' weights w, so that B · scale · dL/dz / w is the gradient of one example's own NLL.
 *
 * Allocates inside the caller's `tf.tidy`.
 */
export function batchOf(network: Network, captured: Captured, match: LossMatch): BatchTensors {
  const x = network.model.inputs.flatMap((_, i) => captured.x.get(i) ?? []);
  const y = captured.labels as tf.Tensor;
  const outputs = outputsOf(network, captured);
  if (match._tag === 'custom') return { x, y, ...(outputs === undefined ? {} : { outputs }) };
  const weights = weightsOf(network, captured);
  const rows = new Map<string, BlockRows>();
  for (const { name, layer, map, bias } of network.blocks) {
    const a = map.unfold(captured.inputs.get(layer) as tf.Tensor);
    const g = map.atPositions(captured.gradients.get(layer) as tf.Tensor);
    const [P, B, T] = a.shape;
    rows.set(name, {
      input: bias ? (tf.concat([a, tf.ones([P, B, T, 1])], 3) as tf.Tensor4D) : a,
      // An example of weight 0 shows no gradient, and its row counts nothing: 0/0 is 0 here.
      gradient:
        weights === undefined
          ? tf.mul(g, B * match.scale)
          : tf.divNoNan(tf.mul(g, B * match.scale), tf.reshape(weights, [1, B, 1, 1])),
    });
  }
  return { x, y, rows, ...(outputs === undefined ? {} : { outputs }) };
}

/** f [B, C] before the link, if the step let it through: a dense layer's z, or the model's outputs when they carry no link. */
function outputsOf(network: Network, captured: Captured): tf.Tensor2D | undefined {
  const last = network.ops.find((op) => op.kind === 'linear' && op.output === network.output);
  const z = last?.kind === 'linear' ? captured.preactivations.get(last.layer) : undefined;
  return (z ?? (network.linkInside ? undefined : captured.outputs)) as tf.Tensor2D | undefined;
}

/** Weights of the examples under the likelihood, [B, 1]; undefined where all are 1. */
function weightsOf({ likelihoodOps: ops, outputs }: Network, { labels }: Captured): tf.Tensor | undefined {
  const weights = ops.weights?.(ops.targets(labels as tf.Tensor, outputs));
  return weights && tf.expandDims(weights, 1);
}

/** Scalar: 1 when every example had the weight in the loss that it has under the likelihood. Allocates inside the caller's `tf.tidy`. */
export function weighedAlike(network: Network, captured: Captured): tf.Scalar {
  const { lossGradient } = captured;
  if (lossGradient === undefined) return tf.scalar(1);
  const found = tf.reshape(tf.mul(lossGradient, lossGradient.size), [lossGradient.shape[0] ?? 1, -1]);
  const expected = weightsOf(network, captured) ?? tf.scalar(1);
  // Equal up to float32 rounding; weights that differ by less than this do not matter.
  const far = tf.greater(tf.abs(tf.sub(found, expected)), tf.mul(1e-3, tf.maximum(expected, 1)));
  return tf.cast(tf.logicalNot(tf.any(far)), 'float32') as tf.Scalar;
}

/** Rejects when examples had other weights in the loss than under the likelihood. */
export async function checkWeights({ likelihoodOps: { weights } }: Network, flag: tf.Scalar): Promise<void> {
  const [alike] = await flag.data().finally(() => flag.dispose());
  if (alike) return;
  throw laplaceError('InvalidOption', {
    what: 'The training loss does not weight its examples as the likelihood does',
    field: 'classWeight',
    found: weights === undefined ? 'sampleWeight or classWeight in fit' : 'other weights than classWeights of the likelihood',
    expected:
      weights === undefined
        ? 'examples of equal weight'
        : 'the same weights as classWeight in fit, and a loss that is named by a string',
    remedy: 'Give fit and the likelihood the same class weights, or observe the trained model in a pass of its own.',
  });
}
