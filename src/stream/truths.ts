/** The labels of a model's outputs, row by row, as losses on the host take them. */
import * as tf from '@tensorflow/tfjs-core';
import { fromDevice } from '../network/device.js';
import type { Head, Network } from '../network/network.js';
import { reference } from '../network/reference.js';
import { rowsOf } from '../predictive/prediction.js';
import type { Truth } from '../tuning/losses.js';

/** The labels of one output on the device. */
export type TruthTensors = {
  /** [rows, labels] */
  readonly labels: tf.Tensor2D;
  /** 0 for a step that does not count, [rows, 1]. */
  readonly weights: tf.Tensor2D;
};

/** The labels of every output, which the caller disposes. */
export const truthTensors = ({ heads }: Network, y: ReadonlyArray<tf.Tensor>): TruthTensors[] =>
  tf.tidy(() =>
    heads.map(({ row, ops, outputs }, i) => {
      const own = y[i] as tf.Tensor;
      const rows = (own.shape[0] as number) * (outputs / row.outputs);
      const targets = tf.reshape(ops.targets(own, outputs), [rows, -1]) as tf.Tensor2D;
      // The targets of a step end with its weight.
      const T = targets.shape[1] - (ops.step === undefined ? 0 : 1);
      const weights = ops.step === undefined ? tf.ones([rows, 1]) : tf.slice(targets, [0, T], [-1, 1]);
      return { labels: reference(tf.slice(targets, [0, 0], [-1, T])), weights: reference(weights as tf.Tensor2D) };
    }),
  );

/** Downloads the labels of every output. */
export const truthsOf = ({ heads }: Network, tensors: ReadonlyArray<TruthTensors>): Promise<ReadonlyArray<Truth>> =>
  Promise.all(tensors.map((own, i) => truthOf(heads[i] as Head, own)));

async function truthOf({ row }: Head, { labels, weights }: TruthTensors): Promise<Truth> {
  const [values, counts] = await fromDevice(Promise.all([labels.data(), weights.data()]));
  return {
    predicts: row.ops.predicts,
    labels: rowsOf(Float32Array.from(values), labels.shape[1]),
    counts: Array.from(counts, (weight) => weight > 0),
  };
}

/** The labels of each output over batches, of which there is at least one. */
export const joinedTruths = (batches: ReadonlyArray<ReadonlyArray<Truth>>): ReadonlyArray<Truth> =>
  (batches[0] as ReadonlyArray<Truth>).map((first, h) => {
    const all = batches.map((truths) => truths[h] as Truth);
    return {
      predicts: first.predicts,
      labels: all.flatMap(({ labels }) => [...labels]),
      counts: all.flatMap(({ counts }) => [...counts]),
    };
  });
