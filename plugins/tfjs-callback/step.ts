/** Makes the batch that estimators understand out of the tensors that the taps captured in one training step. */
import * as tf from '@tensorflow/tfjs-core';
import {
  atAllUses,
  type BatchTensors,
  type BlockRows,
  fromDevice,
  type Head,
  laplaceError,
  type Network,
} from 'tfjs-laplace/extend';
import type { Captured, CapturedLoss } from './taps.js';

/**
 * The batch of a training step. The training loss L is a mean over the batch's B examples, which may have weights w. So B · scale
 * / w · dL/dz is the gradient of one example's own NLL. Without a scale, or if the step did not show all rows, the batch has no
 * rows.
 *
 * Allocates inside the caller's `tf.tidy`.
 *
 * @param scale the factor that turns gradients of the training loss into gradients of the NLL
 */
export function batchOf(network: Network, captured: Captured, scale: number | undefined): BatchTensors {
  const x = network.model.inputs.flatMap((_, i) => captured.x.get(i) ?? []);
  const y = captured.losses.map(({ labels }) => labels as tf.Tensor);
  const outputs = outputsOf(network, captured);
  // A likelihood with class weights applies them itself, so that the batch has none. With several outputs, whose losses may have
  // weights of their own, there is no one weight for each example.
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
    const g = atAllUses(calls.map(({ gradient }) => gradient));
    const scaled: tf.Tensor4D = tf.mul(g, scale * g.shape[1]);
    rows.set(name, {
      input: atAllUses(calls.map(({ input }) => input)),
      // An example of weight 0 has no gradient, and does not count.
      gradient: weights === undefined ? scaled : tf.divNoNan(scaled, tf.reshape(weights, [1, -1, 1, 1])),
    });
  }
  return rows;
}

/** f [B, C] before the links, if the step showed it: the z of the last layers, or the model's outputs where there is no link. */
function outputsOf({ heads, uses }: Network, { preactivations, losses }: Captured): tf.Tensor2D | undefined {
  const parts = heads.flatMap(({ value, link }, i) => {
    const layer = uses.find(({ output }) => output === value)?.layer;
    const calls = (layer && preactivations.get(layer)) ?? [];
    // If the layer is called several times, nobody says which call made the output.
    const f = (calls.length === 1 ? calls[0] : undefined) ?? (link === undefined ? losses[i]?.outputs : undefined);
    return f === undefined ? [] : [tf.reshape(f, [f.shape[0] as number, -1]) as tf.Tensor2D];
  });
  if (parts.length < heads.length) return undefined;
  return tf.concat(parts, 1);
}

/**
 * w [B]: how often each example counts in the loss. Undefined for a loss that is not one number for each example. Without weights
 * dL/dloss is 1/B, and w is 1 up to rounding; such a w is made exactly 1.
 */
function weightsOf({ gradient, labels }: CapturedLoss): tf.Tensor1D | undefined {
  if (gradient === undefined || !isByExample(gradient, labels)) return undefined;
  const w = tf.mul(gradient, gradient.size);
  return tf.where(tf.less(tf.abs(tf.sub(w, 1)), 1e-6), tf.onesLike(w), w) as tf.Tensor1D;
}

const isByExample = (loss: tf.Tensor, labels: tf.Tensor | undefined): boolean =>
  loss.rank === 1 && loss.shape[0] === labels?.shape[0];

/**
 * A scalar: 1 if every example counts as often as `weightsOf` says, otherwise 0. If the likelihood has class weights, the example
 * must also count as often as these say. A loss that is one number for the whole batch cannot weight examples: tfjs multiplies it
 * by the batch's mean weight. With several outputs, each output's loss must be weighted as the output's likelihood says.
 * Allocates inside the caller's `tf.tidy`.
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
  // Equal up to float32 rounding. Weights that differ by less than this do not matter.
  return asNumber(tf.lessEqual(tf.abs(tf.sub(found, expected)), tf.mul(1e-3, tf.maximum(expected, 1))));
}

const asNumber = (flags: tf.Tensor): tf.Scalar => tf.cast(tf.all(flags), 'float32') as tf.Scalar;

/** Reads the scalar of `soundlyWeighted` and disposes it. Rejects with `InvalidOption` when it is 0. */
export async function checkWeights({ heads }: Network, flag: tf.Scalar): Promise<void> {
  const [sound] = await fromDevice(flag.data()).finally(() => flag.dispose());
  if (sound) return;
  throw laplaceError(
    'InvalidOption',
    heads.length === 1 && heads[0]?.ops.weights === undefined
      ? {
          what: "The training loss does not show its examples' weights",
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
