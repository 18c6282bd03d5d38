/**
 * Makes predictions for a network's heads: a report for each head, and the moments that a network predicts for a head's labels.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Head, Network } from '../../network/network.js';
import type { OutputPrediction, Prediction } from '../prediction.js';

/** The report of the only head, or under `perOutput` the reports of all heads by name. */
export async function ofHeads(
  { likelihood, heads }: Network,
  report: (head: Head, i: number) => OutputPrediction | Promise<OutputPrediction>,
): Promise<Prediction> {
  const reports = await Promise.all(heads.map(report));
  if (likelihood._tag !== 'perOutput') return reports[0] as OutputPrediction;
  return { _tag: 'several', outputs: Object.fromEntries(heads.map(({ name }, i) => [name, reports[i] as OutputPrediction])) };
}

/** The prediction of a network with outputs f, for every row of a head's report: [rows, P], as `reportSamples` takes it. */
export function networkMoments(head: Head, f: tf.Tensor2D): tf.Tensor2D {
  const { mean, variance } = head.ops;
  const rows = f.size / head.row.outputs;
  const parts = variance === undefined ? [mean(f)] : [mean(f), variance(f)];
  return tf.concat(
    parts.map((part) => tf.reshape(part, [rows, -1]) as tf.Tensor2D),
    1,
  );
}
