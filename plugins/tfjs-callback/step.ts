/** One observed training step: what the taps captured, as a batch that estimators understand. */
import * as tf from '@tensorflow/tfjs-core';
import { type BatchTensors, type BlockRows, fromDevice, type Head, laplaceError, type Network } from 'tfjs-laplace';
import type { Captured, CapturedLoss } from './taps.js';

/**
 * The batch of a step. `scale` takes a gradient of the training loss to one of the NLL; the training loss is a batch mean, in which
 * examples may have weights w, so that B · scale / w · dL/dz is the gradient of one example's own NLL. Without a scale the batch has
 * no rows of its own; nor where the step did not show all of them.
 *
 * Allocates inside the caller's `tf.tidy`.
 */
export function batchOf(network: Network, captured: Captured, scale: number | undefined): BatchTensors {
  const x = network.model.inputs.flatMap((_, i) => captured.x.get(i) ?? []);
  const y = captured.losses.map(({ labels }) => labels as tf.Tensor);
  const outputs = outputsOf(network, captured);
  // What likelihoods weigh by themselves are no weights of the batch's; nor are there any where each output could have its own.
  const weights = captured.losses.length > 1 ? undefined : weightsOf(captured.losses[0] as CapturedLoss);
  const rows = scale === undefined ? undefined : rowsOf(network, captured, scale, weights);
  return {
    x,
    y,
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

/** f [B, C] before the links, if the step let it through: layers' z, or the model's outputs where they carry no link. */
function outputsOf({ heads, uses }: Network, { preactivations, losses }: Captured): tf.Tensor2D | undefined {
  const parts = heads.flatMap(({ value, link }, i) => {
    const layer = uses.find(({ output }) => output === value)?.layer;
    const calls = (layer && preactivations.get(layer)) ?? [];
    // Of several calls nobody says which one made the output.
    const f = (calls.length === 1 ? calls[0] : undefined) ?? (link === undefined ? losses[i]?.outputs : undefined);
    return f === undefined ? [] : [tf.reshape(f, [f.shape[0] as number, -1]) as tf.Tensor2D];
  });
  if (parts.length < heads.length) return undefined;
  return parts.length === 1 ? parts[0] : tf.concat(parts, 1);
}

/**
 * w [B], how often each example counts in the loss, where that is a number for each example. Without weights dL/dloss is 1/B: what
 * is 1 up to a rounding is made exactly 1.
 */
function weightsOf({ gradient, labels }: CapturedLoss): tf.Tensor1D | undefined {
  if (gradient === undefined || !isByExample(gradient, labels)) return undefined;
  const w = tf.mul(gradient, gradient.size);
  return tf.where(tf.less(tf.abs(tf.sub(w, 1)), 1e-6), tf.onesLike(w), w) as tf.Tensor1D;
}

const isByExample = (loss: tf.Tensor, labels: tf.Tensor | undefined): boolean =>
  loss.rank === 1 && loss.shape[0] === labels?.shape[0];

/**
 * Scalar: 1 when every example counts as often as `weightsOf` says, and as the likelihood says where it has weights of its own. A loss
 * that is one number of the whole batch cannot be weighted by example: tfjs multiplies all of it by the batch's mean weight. Of several
 * outputs, whose losses can have weights of their own, each must be weighted as its likelihood says. Allocates inside the caller's
 * `tf.tidy`.
 */
export function soundlyWeighted({ heads }: Network, { losses }: Captured): tf.Scalar {
  const sound = heads.map((head, i) => isSound(head, losses[i] as CapturedLoss, heads.length > 1));
  return sound.reduce((a, b) => tf.mul(a, b));
}

function isSound({ ops, outputs }: Head, { gradient, labels }: CapturedLoss, several: boolean): tf.Scalar {
  if (gradient === undefined) return tf.scalar(1);
  const w = tf.mul(gradient, gradient.size);
  const own = ops.weights?.(ops.targets(labels as tf.Tensor, outputs));
  const byExample = isByExample(gradient, labels);
  if (own === undefined && byExample && !several) return asNumber(tf.logicalAnd(tf.isFinite(w), tf.greaterEqual(w, 0)));
  const expected = own ?? tf.scalar(1);
  const found = byExample || own === undefined ? w : tf.reshape(w, [-1, 1]);
  // Equal up to float32 rounding; weights that differ by less than this do not matter.
  return asNumber(tf.lessEqual(tf.abs(tf.sub(found, expected)), tf.mul(1e-3, tf.maximum(expected, 1))));
}

const asNumber = (flags: tf.Tensor): tf.Scalar => tf.cast(tf.all(flags), 'float32') as tf.Scalar;

/** Rejects when the flag is not set. */
export async function checkWeights({ heads }: Network, flag: tf.Scalar): Promise<void> {
  const [sound] = await fromDevice(flag.data()).finally(() => flag.dispose());
  if (sound) return;
  throw laplaceError(
    'InvalidOption',
    heads.length === 1 && heads[0]?.ops.weights === undefined
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
          expected: 'the same weights as classWeight in fit (for each output its own), and a loss that is named by a string',
          remedy: 'Give fit and the likelihood the same class weights, or observe the trained model in a pass of its own.',
        },
  );
}
