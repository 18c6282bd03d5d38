/**
 * Checks every batch on the device, and reads the results back in one small download: whether inputs and labels are finite,
 * whether labels and weights are in range, and the log-likelihood. NaN never reaches the factors unnoticed.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../errors.js';
import { noiseVarianceOf, variancesOf } from '../likelihood/noiseVariance.js';
import { fromDevice } from '../network/device.js';
import { labelField, ofHead } from '../network/labels.js';
import type { Network } from '../network/network.js';
import type { Mark, Side } from './marks.js';
import type { ObservedBatch } from './observed.js';

/** A place where numbers may not be finite. */
type Place = { readonly layer: string; readonly side: Side };

/** The results of one batch's checks, still on the device. It is a type alias, because `tf.tidy` does not accept an interface. */
export type Health = {
  /**
   * [inputs finite, weights in range, Σ w log p(y | f) in nats, Σ w], then for each output [labels finite, labels in range], then the
   * squared errors of each output if they are asked for, then the sums of the marks.
   */
  readonly values: tf.Tensor1D;
  /** What the last values are the sums of. */
  readonly marks: Place[];
  /** B. */
  readonly size: number;
  readonly epoch: number;
  readonly index: number;
};

/** Starts the checks of a batch. The result stays on the device until `checkHealth` reads and disposes it. */
export function healthOf(
  network: Network,
  batch: ObservedBatch,
  x: ReadonlyArray<tf.Tensor>,
  y: ReadonlyArray<tf.Tensor>,
  outputs: tf.Tensor2D,
  targets: tf.Tensor2D,
  weights: tf.Tensor1D | undefined,
  marks: ReadonlyArray<Mark>,
  shares?: number,
): Health {
  const values = tf.tidy(() => {
    const ops = network.likelihoodOps;
    const logLikelihoods = ops.logLikelihoods(outputs, targets);
    const logLikelihood = tf.sum(weights === undefined ? logLikelihoods : tf.mul(logLikelihoods, weights));
    // A training step may show no input at all, since its rows do not need any.
    const inputs = x.map(finite).reduce((a, b) => tf.mul(a, b), tf.scalar(1));
    const parts = [
      inputs,
      inRange(weights),
      logLikelihood,
      weights === undefined ? tf.scalar(outputs.shape[0]) : tf.sum(weights),
      ...labelFlags(network, y),
    ];
    const sums = marks.map(({ sum }) => sum);
    if (shares === undefined) return tf.keep(tf.stack([...parts, ...sums]) as tf.Tensor1D);
    const squares = squaresOf(network, shares, outputs, targets, weights);
    return tf.keep(
      tf.concat([tf.stack(parts) as tf.Tensor1D, squares, ...(sums.length > 0 ? [tf.stack(sums) as tf.Tensor1D] : [])]),
    );
  });
  return {
    values,
    marks: marks.map(({ layer, side }) => ({ layer, side })),
    size: outputs.shape[0],
    epoch: batch.epoch,
    index: batch.index,
  };
}

/** The numbers that a sound batch adds to the factors. */
export interface Sound {
  /** Σ w log p(y | f), in nats. */
  readonly logLikelihood: number;
  /** Examples, or the sum of their weights. */
  readonly count: number;
  /** Σ w (f − y)² / σ² of each output; empty if they were not asked for. */
  readonly squares: ReadonlyArray<number>;
}

/** Σ w (f − y)² / σ² of each of c outputs [c], over steps too. The gradient of a Gaussian is (f − y) / σ². */
const squaresOf = (
  { likelihood, likelihoodOps }: Network,
  c: number,
  outputs: tf.Tensor2D,
  targets: tf.Tensor2D,
  weights: tf.Tensor1D | undefined,
): tf.Tensor1D => {
  const variance = noiseVarianceOf(likelihood) ?? 1;
  const squares = tf.square(likelihoodOps.gradient(outputs, targets));
  const counted = weights === undefined ? squares : tf.mul(squares, tf.expandDims(weights, 1));
  const each = tf.sum(tf.reshape(counted, [-1, c]), 0);
  return tf.mul(each, tf.tensor1d(variancesOf(variance, c)));
};

/** Waits for the results of the checks. Rejects with a `LaplaceError` that names batch, and field or layer. */
export async function checkHealth(network: Network, { values, marks, epoch, index }: Health): Promise<Sound> {
  const [x, weights, logLikelihood, count, ...rest] = await fromDevice(values.data()).finally(() => values.dispose());
  const where = `batch ${index} of epoch ${epoch}`;
  if (!x) throw notFinite('x', `inputs of ${where}`);
  const labels = rest.slice(0, 2 * network.heads.length);
  checkLabels(network, labels, where);
  if (!weights) {
    throw laplaceError('InvalidInput', {
      what: `The weights of ${where} are out of range`,
      field: 'weights',
      found: 'a weight that is negative or not finite',
      expected: 'finite numbers >= 0',
    });
  }
  const sums = rest.splice(rest.length - marks.length);
  const broken = marks.filter((_, i) => !Number.isFinite(sums[i]));
  if (!Number.isFinite(logLikelihood)) {
    const origin = broken.find(({ side }) => side !== 'gradients');
    if (origin !== undefined) throw brokenLayer(origin, where);
    throw laplaceError('NotFinite', {
      what: `The log-likelihood of ${where} is not finite`,
      field: 'outputs',
      found: String(logLikelihood),
      expected: 'a finite number',
      remedy: 'The model gives NaN or infinite outputs here: check its weights and the scale of the inputs.',
    });
  }
  // An infinite output may be finite again after its activation. Inputs of covered layers and gradients are summed.
  const summed = broken.find(({ side }) => side !== 'outputs');
  if (summed !== undefined) throw brokenLayer(summed, where);
  const squares = rest.slice(2 * network.heads.length);
  return { logLikelihood: logLikelihood as number, count: count as number, squares: [...squares] };
}

/** Scalars for each output: whether its labels are finite, and whether they are in range. Allocates inside the caller's `tf.tidy`. */
export const labelFlags = ({ heads }: Network, y: ReadonlyArray<tf.Tensor>): ReadonlyArray<tf.Tensor> =>
  heads.flatMap((head, i) => {
    const own = y[i] as tf.Tensor;
    return [finite(own), head.ops.labelsInRange(own, head.outputs)];
  });

/**
 * Throws `NotFinite` or `InvalidLabels` for labels that are not sound.
 *
 * @param flags what `labelFlags` says of them
 */
export function checkLabels({ heads }: Network, flags: ArrayLike<number>, where: string): void {
  heads.forEach((head, i) => {
    const [field, what] = [labelField(heads, head), `labels${ofHead(heads, head)} of ${where}`];
    if (!flags[2 * i]) throw notFinite(field, what);
    if (flags[2 * i + 1]) return;
    throw laplaceError('InvalidLabels', {
      what: `The ${what} are out of range`,
      field,
      found: 'a label that the likelihood does not know',
      expected: head.ops.labels(head.outputs),
    });
  });
}

const notFinite = (field: string, what: string): LaplaceError =>
  laplaceError('NotFinite', {
    what: `The ${what} hold a number that is not finite`,
    field,
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy: 'Clean the data, or leave the batch out.',
  });

const brokenLayer = ({ layer, side }: Place, where: string): LaplaceError =>
  laplaceError('NotFinite', {
    what: `The ${side} of layer '${layer}' in ${where} hold a number that is not finite`,
    layer,
    field: side,
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy: "Check the layer's weights, the layers before it, and the scale of the inputs.",
  });

/** A scalar: 1 if every entry is finite, otherwise 0. */
const finite = (t: tf.Tensor): tf.Tensor => (t.dtype === 'float32' ? tf.cast(tf.all(tf.isFinite(t)), 'float32') : tf.scalar(1));

const inRange = (weights: tf.Tensor1D | undefined): tf.Tensor =>
  weights === undefined ? tf.scalar(1) : tf.mul(finite(weights), tf.cast(tf.all(tf.greaterEqual(weights, 0)), 'float32'));
