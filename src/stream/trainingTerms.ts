/** Reads training batches: the outputs of each example with their covariance, the slope and curvature of its NLL, and its labels. */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../errors.js';
import { LARGEST_RESULT, MOST_ROWS } from '../limits.js';
import { fromDevice } from '../network/device.js';
import type { Network } from '../network/network.js';
import { reference } from '../network/reference.js';
import { inPieces } from '../predictive/device/pieces.js';
import type { LinearisedPieces } from '../predictive/linearised/linearisedPieces.js';
import type { OwnTerm } from '../predictive/linearised/ownTerm.js';
import type { Truth } from '../tuning/losses.js';
import { checkLabels, labelFlags } from './health.js';
import { type BatchSource, observedBatch } from './observed.js';
import { type TruthTensors, truthsOf, truthTensors } from './truths.js';

/** The examples of a batch. */
export interface TrainingTerms {
  readonly terms: ReadonlyArray<OwnTerm>;
  /** The labels of each output. */
  readonly truths: ReadonlyArray<Truth>;
}

/**
 * Reads one batch.
 *
 * @param pieces give the whole covariance of the outputs
 * @param before how many examples have been read
 *
 * Rejects with the errors of `predict`, with `InvalidLabels` and `NotFinite` for labels and outputs, and with `InvalidInput` for weights.
 */
export async function readTerms(
  network: Network,
  pieces: LinearisedPieces,
  source: BatchSource,
  { index, before, memoryBudget }: { readonly index: number; readonly before: number; readonly memoryBudget: number },
): Promise<TrainingTerms> {
  const { outputs: C, likelihoodOps: ops } = network;
  const { x, own, flags } = labelled(network, source);
  try {
    const [weights, ...labels] = await fromDevice(flags.data());
    checkLabels(network, labels, `training batch ${index}`);
    if (!weights) throw badWeights(index);
    const B = x[0]?.shape[0] as number;
    checkSize(before + B, C);
    const { mean, covariance } = await pieces.run(x, (outputs) => ({ ...outputs }));
    checkOutputs(mean, 'outputs f*');
    checkOutputs(covariance, 'covariances of the outputs');
    const f = tf.tensor2d(mean, [B, C]);
    const { gradient, root } = await inPieces(
      [f, own.targets, own.weights],
      most(C, memoryBudget),
      ([outputs, targets, counts]) => ofOutputs(ops, outputs as tf.Tensor2D, targets as tf.Tensor2D, counts as tf.Tensor2D),
    ).finally(() => f.dispose());
    checkOutputs(gradient, 'gradients of the NLL in the outputs');
    checkOutputs(root, 'curvatures of the NLL in the outputs');
    const of = (values: Float32Array, b: number): Float32Array => {
      const size = values.length / B;
      return values.subarray(b * size, (b + 1) * size);
    };
    return {
      terms: Array.from({ length: B }, (_, b) => ({
        mean: of(mean, b),
        covariance: of(covariance, b),
        gradient: of(gradient, b),
        root: of(root, b),
      })),
      truths: await truthsOf(network, own.labels),
    };
  } finally {
    tf.dispose([x, own, flags] as unknown as tf.TensorContainer);
  }
}

type Own = {
  /** Of the likelihood of all outputs, [B, …]. */
  readonly targets: tf.Tensor2D;
  /** How often each example counts in the loss, [B, 1]. */
  readonly weights: tf.Tensor2D;
  readonly labels: TruthTensors[];
};

/** The tensors of a batch, which live until they are disposed. */
const labelled = (network: Network, source: BatchSource): { x: tf.Tensor[]; own: Own; flags: tf.Tensor } =>
  observedBatch(network, source, 0).use(({ x, y, weights }) => {
    const { likelihoodOps: ops } = network;
    const B = x[0]?.shape[0] as number;
    const targets = tf.reshape(ops.targets(y), [B, -1]) as tf.Tensor2D;
    const counts = [weights, ops.weights?.(targets)]
      .flatMap((own) => own ?? [])
      .reduce<tf.Tensor>((a, b) => tf.mul(a, b), tf.ones([B]));
    return {
      x: x.map(reference),
      own: {
        targets: reference(targets),
        weights: tf.keep(tf.reshape(counts, [B, 1])) as tf.Tensor2D,
        labels: truthTensors(network, y),
      },
      flags: tf.stack([inRange(weights), ...labelFlags(network, y)]),
    };
  });

const inRange = (weights: tf.Tensor1D | undefined): tf.Tensor =>
  weights === undefined
    ? tf.scalar(1)
    : tf.cast(tf.all(tf.logicalAnd(tf.isFinite(weights), tf.greaterEqual(weights, 0))), 'float32');

/** w g [B, C] and √w Rᵀ [B, K, C]. */
function ofOutputs(ops: Network['likelihoodOps'], f: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor2D) {
  const root = tf.transpose(ops.hessianRoot(f, targets), [1, 0, 2]);
  return { gradient: tf.mul(ops.gradient(f, targets), weights), root: tf.mul(root, tf.expandDims(tf.sqrt(weights), 2)) };
}

/** The roots of an example have C² numbers, in float32; about eight such tensors are alive at once. */
const most = (C: number, memoryBudget: number): number =>
  Math.max(1, Math.min(MOST_ROWS, Math.floor(memoryBudget / (8 * 4 * C * C))));

function checkSize(N: number, C: number): void {
  if (N * C * C <= LARGEST_RESULT) return;
  throw laplaceError('InvalidInput', {
    what: 'The covariances of these training examples are too large',
    field: 'training',
    found: `${N} examples or more with ${C} outputs, ${N}·${C}² numbers`,
    expected: `at most ${LARGEST_RESULT} numbers`,
    remedy: 'Give a random part of the training data: the mean NLL comes with its standard error.',
  });
}

function checkOutputs(values: Float32Array, what: string): void {
  if (values.every(Number.isFinite)) return;
  throw laplaceError('NotFinite', {
    what: `The ${what} of training examples hold a number that is not finite`,
    field: 'outputs',
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy: 'Take a larger prior precision (withPrior), and look for outputs of the model that are not finite.',
  });
}

const badWeights = (index: number): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `The weights of training batch ${index} are out of range`,
    field: 'weights',
    found: 'a weight that is negative or not finite',
    expected: 'finite numbers >= 0',
  });
