/** One observed training step: what the taps captured, as a batch that estimators understand. */
import * as tf from '@tensorflow/tfjs-core';
import { type BatchTensors, fromDevice, type LossMatch, laplaceError, type Network, type TrainingRows } from 'tfjs-laplace';
import type { Captured } from './taps.js';

/**
 * The batch of a step. `scale` takes a gradient of the training loss to one of the NLL; the training loss is a batch mean, so
 * that B · scale · dL/dz is the gradient of one example's own NLL.
 *
 * Allocates inside the caller's `tf.tidy`.
 */
export function batchOf(network: Network, captured: Captured, match: LossMatch): BatchTensors {
  const x = network.model.inputs.flatMap((_, i) => captured.x.get(i) ?? []);
  const y = captured.labels as tf.Tensor;
  const outputs = outputsOf(network, captured);
  if (match._tag === 'custom') return { x, y, ...(outputs === undefined ? {} : { outputs }) };
  const rows = new Map<string, TrainingRows>();
  for (const { name, op, bias } of network.blocks) {
    const a = captured.inputs.get(op.layer) as tf.Tensor2D;
    const g = captured.gradients.get(op.layer) as tf.Tensor2D;
    const B = a.shape[0];
    rows.set(name, {
      input: bias ? tf.concat([a, tf.ones([B, 1])], 1) : a,
      gradient: tf.mul(g, B * match.scale),
    });
  }
  return { x, y, rows, ...(outputs === undefined ? {} : { outputs }) };
}

/** f [B, C] before the link, if the step let it through: a dense layer's z, or the model's outputs when they carry no link. */
function outputsOf(network: Network, captured: Captured): tf.Tensor2D | undefined {
  const last = network.ops.find((op) => op.kind === 'dense' && op.output === network.output);
  const z = last?.kind === 'dense' ? captured.preactivations.get(last.layer) : undefined;
  return (z ?? (network.linkInside ? undefined : captured.outputs)) as tf.Tensor2D | undefined;
}

/** Scalar: 1 when every example of the batch had the same weight in the loss. Allocates inside the caller's `tf.tidy`. */
export function equallyWeighted({ lossGradient }: Captured): tf.Scalar {
  if (lossGradient === undefined) return tf.scalar(1);
  const relative = tf.mul(lossGradient, lossGradient.size);
  // 1 up to one float32 rounding; weights that differ by less than this do not matter.
  return tf.cast(tf.all(tf.less(tf.abs(tf.sub(relative, 1)), 1e-3)), 'float32') as tf.Scalar;
}

/** Rejects when examples had weights of their own: the likelihood knows none. */
export async function checkWeights(flag: tf.Scalar): Promise<void> {
  const [equal] = await fromDevice(flag.data()).finally(() => flag.dispose());
  if (equal) return;
  throw laplaceError('InvalidOption', {
    what: 'The training loss weights its examples',
    field: 'sampleWeight',
    found: 'sampleWeight or classWeight in fit',
    expected: 'examples of equal weight',
    remedy: 'Train without weights, or observe the trained model in a pass of its own.',
  });
}
