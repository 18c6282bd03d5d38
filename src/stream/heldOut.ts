/** Reads held-out batches: the labels and mean outputs once, and the covariances of the outputs under several posteriors. */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../errors.js';
import { costsByShape } from '../network/costs.js';
import { fromDevice } from '../network/device.js';
import type { Head, Network } from '../network/network.js';
import { reference } from '../network/reference.js';
import type { Posterior } from '../posterior/posterior.js';
import { NUMBER } from '../predictive/device/costs.js';
import { candidatePosteriors } from '../predictive/device/device.js';
import { inPieces, joined } from '../predictive/device/pieces.js';
import { linearisedPlan } from '../predictive/device/plans.js';
import type { Want } from '../predictive/device/structure/structure.js';
import { isJoint, ownCovariance } from '../predictive/linearised/headCovariance.js';
import { linearisedUnder } from '../predictive/linearised/linearised.js';
import { rowsOf } from '../predictive/prediction.js';
import type { HeldOut } from '../tuning/held.js';
import type { Truth } from '../tuning/losses.js';
import { type BatchSource, observedBatch } from './observed.js';

/** Held-out examples under several posteriors. */
export interface Read {
  /** The number of examples. */
  readonly N: number;
  readonly outputs: ReadonlyArray<HeldOut>;
  /** For each posterior the covariance of each output. */
  readonly covariances: ReadonlyArray<ReadonlyArray<Float32Array>>;
}

/**
 * Reads all batches in one pass.
 *
 * @param needs what the link needs of outputs that depend on each other
 *
 * Rejects with the errors of `predict`, with `InvalidLabels`, and with `Empty` if there are no examples.
 */
export async function readHeldOut(
  network: Network,
  posteriors: readonly [Posterior, ...Posterior[]],
  sources: ReadonlyArray<BatchSource>,
  needs: Want,
  memoryBudget: number,
  onBatch: (done: number) => void,
): Promise<Read> {
  const { heads } = network;
  const want = heads.some(isJoint) ? needs : 'variance';
  const costs = costsByShape(network);
  // Variances that take at most a quarter of the budget are kept for all batches.
  const variances = NUMBER * posteriors.length * posteriors[0].layers.reduce((sum, { mean }) => sum + mean.data.length, 0);
  const hold = variances <= memoryBudget / 4;
  const forWork = hold ? memoryBudget - variances : memoryBudget;
  const candidates = candidatePosteriors(network, posteriors, 1, hold);
  const parts: Part[] = [];
  try {
    for (const [index, source] of sources.entries()) {
      const batch = observedBatch(network, source, index).use(({ x, y, weights }) => {
        if (weights !== undefined) throw weighted();
        const truths = heads.map((head, i) => truthTensors(head, y[i] as tf.Tensor));
        return kept({ x: [...x], truths });
      });
      try {
        const plan = linearisedPlan(network, posteriors[0], costs(batch.x), want, forWork, posteriors.length);
        const found = await inPieces(batch.x, plan.examples, (piece) => {
          const { mean, covariances } = linearisedUnder(network, candidates.each, piece, want, plan);
          return {
            means: heads.map((head) => tf.slice(mean, [0, head.first], [-1, head.outputs])),
            covariances: covariances.flatMap((own) => heads.map((head) => ownCovariance(head, own))),
          };
        });
        const truths = await Promise.all(batch.truths.map((own, i) => truthOf(heads[i] as Head, own)));
        parts.push({ size: batch.x[0]?.shape[0] as number, ...found, truths });
      } finally {
        tf.dispose([batch.x, batch.truths] as tf.TensorContainer);
      }
      onBatch(index + 1);
    }
  } finally {
    candidates.dispose();
  }
  if (parts.length === 0) throw nothingHeldOut();
  return {
    N: parts.reduce((sum, { size }) => sum + size, 0),
    outputs: heads.map((head, h) => ({
      head,
      mean: joined(parts.map(({ means }) => means[h] as Float32Array)),
      truth: joinedTruth(parts.map(({ truths }) => truths[h] as Truth)),
    })),
    covariances: posteriors.map((_, k) =>
      heads.map((__, h) => joined(parts.map(({ covariances }) => covariances[k * heads.length + h] as Float32Array))),
    ),
  };
}

/** What one batch gave. */
interface Part {
  readonly size: number;
  readonly means: ReadonlyArray<Float32Array>;
  readonly covariances: ReadonlyArray<Float32Array>;
  readonly truths: ReadonlyArray<Truth>;
}

type TruthTensors = {
  /** [rows, labels] */
  readonly labels: tf.Tensor2D;
  /** 0 for a step that does not count, [rows, 1]. */
  readonly weights: tf.Tensor2D;
};

type Batch = {
  readonly x: tf.Tensor[];
  readonly truths: TruthTensors[];
};

/** References to the tensors of a batch, which live until they are disposed. */
const kept = ({ x, truths }: Batch): Batch => ({
  x: x.map(reference),
  truths: truths.map(({ labels, weights }) => ({ labels: reference(labels), weights: reference(weights) })),
});

/** The labels of one output, row by row. Allocates inside the caller's `tf.tidy`. */
function truthTensors({ row, ops, outputs }: Head, y: tf.Tensor): TruthTensors {
  const rows = (y.shape[0] as number) * (outputs / row.outputs);
  const targets = tf.reshape(ops.targets(y, outputs), [rows, -1]) as tf.Tensor2D;
  // The targets of a step end with its weight.
  const T = targets.shape[1] - (ops.step === undefined ? 0 : 1);
  return {
    labels: tf.slice(targets, [0, 0], [-1, T]),
    weights: ops.step === undefined ? tf.ones([rows, 1]) : tf.slice(targets, [0, T], [-1, 1]),
  };
}

async function truthOf({ row }: Head, { labels, weights }: TruthTensors): Promise<Truth> {
  const [values, counts] = await fromDevice(Promise.all([labels.data(), weights.data()]));
  return {
    predicts: row.ops.predicts,
    labels: rowsOf(Float32Array.from(values), labels.shape[1]),
    counts: Array.from(counts, (weight) => weight > 0),
  };
}

const joinedTruth = (truths: ReadonlyArray<Truth>): Truth => ({
  ...(truths[0] as Truth),
  labels: truths.flatMap(({ labels }) => [...labels]),
  counts: truths.flatMap(({ counts }) => [...counts]),
});

const nothingHeldOut = (): LaplaceError =>
  laplaceError('Empty', {
    what: 'tune needs held-out examples',
    field: 'heldOut',
    found: 'no batch',
    expected: 'at least two examples that the model was not trained on',
  });

const weighted = (): LaplaceError =>
  laplaceError('InvalidInput', {
    what: 'Held-out examples count once each',
    field: 'weights',
    found: 'weights of examples',
    expected: 'no weights',
  });
