/** What a network itself predicts for each of its outputs, and the labels there, on the host. */
import * as tf from '@tensorflow/tfjs-core';
import type { Rows } from 'tfjs-laplace';
import { forward, fromDevice, type Head, type Network } from 'tfjs-laplace/extend';
import type { Moments, Truth } from './nll.js';

/** An output as the network itself predicts it, and its labels. */
export interface Judged {
  readonly name: string;
  readonly own: Moments;
  readonly truth: Truth;
}

/** Whether an output has a `customLikelihood`: its NLL does not follow from the moments of a prediction. */
export const isCustom = ({ likelihood }: Head): boolean =>
  likelihood._tag === 'custom' || (likelihood._tag === 'perStep' && likelihood.each._tag === 'custom');

/** Every output but those with a `customLikelihood`. The tensors hold a batch, and stay the caller's. */
export async function ownPredictions(
  network: Network,
  x: ReadonlyArray<tf.Tensor>,
  y: ReadonlyArray<tf.Tensor>,
): Promise<ReadonlyArray<Judged>> {
  const heads = network.heads.filter((head) => !isCustom(head));
  const labels = heads.map((head) => y[network.heads.indexOf(head)] as tf.Tensor);
  const parts = tf.tidy(() => {
    const { outputs: f } = forward(network, x);
    return heads.map((head, i) => partsOf(head, f, labels[i] as tf.Tensor));
  });
  try {
    return await Promise.all(heads.map((head, i) => judged(head, parts[i] as Parts)));
  } finally {
    tf.dispose(parts);
  }
}

/** The parts of one output that are read from the device. */
type Parts = {
  /** Probabilities, or the means of the labels: [rows, labels]. */
  readonly mean: tf.Tensor2D;
  /** The variances of the labels. A classification has none. */
  readonly variance: tf.Tensor2D | undefined;
  readonly labels: tf.Tensor2D;
  /** 0 for a step that does not count, [rows, 1]. */
  readonly weights: tf.Tensor2D;
};

function partsOf({ row, ops, outputs, first }: Head, f: tf.Tensor2D, y: tf.Tensor): Parts {
  const own = tf.reshape(tf.slice(f, [0, first], [-1, outputs]), [-1, row.outputs]) as tf.Tensor2D;
  const isSequence = ops.step !== undefined;
  const targets = tf.reshape(ops.targets(y, outputs), [own.shape[0], -1]) as tf.Tensor2D;
  // The targets of a step end with its weight.
  const T = targets.shape[1] - (isSequence ? 1 : 0);
  return {
    mean: row.ops.mean(own),
    variance: row.ops.variance?.(own),
    labels: tf.slice(targets, [0, 0], [-1, T]),
    weights: isSequence ? tf.slice(targets, [0, T], [-1, 1]) : tf.ones([own.shape[0], 1]),
  };
}

async function judged({ name, row }: Head, { mean, variance, labels, weights }: Parts): Promise<Judged> {
  const [means, variances, targets, counts] = await fromDevice(
    Promise.all([rowsOf(mean), variance === undefined ? undefined : rowsOf(variance), rowsOf(labels), weights.data()]),
  );
  return {
    name,
    own: variances === undefined ? { probabilities: means } : { mean: means, totalVariance: variances },
    truth: { predicts: row.ops.predicts, labels: targets, counts: Array.from(counts, (weight) => weight > 0) },
  };
}

const rowsOf = async (t: tf.Tensor2D): Promise<Rows> => {
  const data = (await t.data()) as Float32Array;
  const [rows, width] = t.shape;
  return Array.from({ length: rows }, (_, i) => data.subarray(i * width, (i + 1) * width));
};
