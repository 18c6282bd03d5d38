/** One observed training step: what the taps captured, as a batch that estimators understand. */
import * as tf from '@tensorflow/tfjs-core';
import { type BatchTensors, type BlockRows, fromDevice, laplaceError, type Network } from 'tfjs-laplace';
import type { Captured } from './taps.js';

/**
 * The batch of a step. `scale` takes a gradient of the training loss to one of the NLL; the training loss is a batch mean, in which
 * examples may have weights w, so that B · scale / w · dL/dz is the gradient of one example's own NLL. Without a scale the batch has
 * no rows of its own; nor where the step did not show all of them.
 *
 * Allocates inside the caller's `tf.tidy`.
 */
export function batchOf(network: Network, captured: Captured, scale: number | undefined): BatchTensors {
  const x = network.model.inputs.flatMap((_, i) => captured.x.get(i) ?? []);
  const y = captured.labels as tf.Tensor;
  const outputs = outputsOf(network, captured);
  const weights = weightsOf(captured);
  const rows = scale === undefined ? undefined : rowsOf(network, captured, scale, weights);
  return {
    x,
    y,
    // What the likelihood weights by itself is no weight of the batch's.
    ...(weights === undefined || network.likelihoodOps.weights !== undefined ? {} : { weights }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(rows === undefined ? {} : { rows }),
  };
}

function rowsOf(
  { blocks, uses }: Network,
  captured: Captured,
  scale: number,
  weights: tf.Tensor1D | undefined,
): ReadonlyMap<string, BlockRows> | undefined {
  const rows = new Map<string, BlockRows>();
  for (const { name, layer } of blocks) {
    const calls = captured.rows.get(name) ?? [];
    if (calls.length !== uses.filter((use) => use.layer === layer).length) return undefined;
    const joined = (parts: ReadonlyArray<tf.Tensor4D>): tf.Tensor4D =>
      parts.length === 1 ? (parts[0] as tf.Tensor4D) : tf.concat([...parts], 2);
    const g = joined(calls.map(({ gradient }) => gradient));
    const scaled: tf.Tensor4D = tf.mul(g, scale * g.shape[1]);
    rows.set(name, {
      input: joined(calls.map(({ input }) => input)),
      // An example without weight has no gradient, and counts for nothing.
      gradient: weights === undefined ? scaled : tf.divNoNan(scaled, tf.reshape(weights, [1, -1, 1, 1])),
    });
  }
  return rows;
}

/** f [B, C] before the link, if the step let it through: a layer's z, or the model's outputs when they carry no link. */
function outputsOf(network: Network, { preactivations, outputs }: Captured): tf.Tensor2D | undefined {
  // Of several calls nobody says which one made the outputs.
  const z = preactivations.length === 1 ? preactivations[0] : undefined;
  return (z ?? (network.linkInside ? undefined : outputs)) as tf.Tensor2D | undefined;
}

/**
 * w [B], how often each example counts in the loss, where that is a number for each example. Without weights dL/dloss is 1/B: what
 * is 1 up to a rounding is made exactly 1.
 */
function weightsOf({ lossGradient, labels }: Captured): tf.Tensor1D | undefined {
  if (lossGradient === undefined || !isByExample(lossGradient, labels)) return undefined;
  const w = tf.mul(lossGradient, lossGradient.size);
  return tf.where(tf.less(tf.abs(tf.sub(w, 1)), 1e-6), tf.onesLike(w), w) as tf.Tensor1D;
}

const isByExample = (loss: tf.Tensor, labels: tf.Tensor | undefined): boolean =>
  loss.rank === 1 && loss.shape[0] === labels?.shape[0];

/**
 * Scalar: 1 when every example counts as often as `weightsOf` says, and as the likelihood says where it has weights of its own. A loss
 * that is one number of the whole batch cannot be weighted by example: tfjs multiplies all of it by the batch's mean weight. Allocates
 * inside the caller's `tf.tidy`.
 */
export function soundlyWeighted({ likelihoodOps: ops, outputs }: Network, { lossGradient, labels }: Captured): tf.Scalar {
  if (lossGradient === undefined) return tf.scalar(1);
  const w = tf.mul(lossGradient, lossGradient.size);
  const own = ops.weights?.(ops.targets(labels as tf.Tensor, outputs));
  const byExample = isByExample(lossGradient, labels);
  if (own === undefined && byExample) return asNumber(tf.logicalAnd(tf.isFinite(w), tf.greaterEqual(w, 0)));
  const expected = own ?? tf.scalar(1);
  const found = byExample || own === undefined ? w : tf.reshape(w, [-1, 1]);
  // Equal up to float32 rounding; weights that differ by less than this do not matter.
  return asNumber(tf.lessEqual(tf.abs(tf.sub(found, expected)), tf.mul(1e-3, tf.maximum(expected, 1))));
}

const asNumber = (flags: tf.Tensor): tf.Scalar => tf.cast(tf.all(flags), 'float32') as tf.Scalar;

/** Rejects when the flag is not set. */
export async function checkWeights({ likelihoodOps: { weights } }: Network, flag: tf.Scalar): Promise<void> {
  const [sound] = await fromDevice(flag.data()).finally(() => flag.dispose());
  if (sound) return;
  throw laplaceError(
    'InvalidOption',
    weights === undefined
      ? {
          what: 'The weights of examples in the training loss cannot be told',
          field: 'classWeight',
          found: 'a loss of one number for a whole batch, or weights that are negative or not finite',
          expected: 'a finite weight >= 0 for each example',
          remedy:
            "Compile with a loss by its name ('categoricalCrossentropy'), or observe the trained model in a pass of its own.",
        }
      : {
          what: 'The training loss does not weight its examples as the likelihood does',
          field: 'classWeight',
          found: 'other weights than classWeights of the likelihood',
          expected: 'the same weights as classWeight in fit, and a loss that is named by a string',
          remedy: 'Give fit and the likelihood the same class weights, or observe the trained model in a pass of its own.',
        },
  );
}
