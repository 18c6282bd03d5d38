/**
 * What users hand in as a batch, made into tensors and checked against the network: shapes of inputs and labels, with errors
 * that name the field.
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Network } from './network.js';

/** Inputs of one batch: a tensor (or nested array) [B, …], one per model input, or a record by input name. */
export type Inputs = tf.TensorLike | tf.Tensor | ReadonlyArray<tf.Tensor> | Readonly<Record<string, tf.Tensor>>;

/** A batch with labels, in either of the spellings that tfjs uses (`xs`, `ys` are those of `tf.data`). */
export type LabelledBatch =
  | { readonly x: Inputs; readonly y: tf.Tensor | tf.TensorLike }
  | { readonly xs: Inputs; readonly ys: tf.Tensor | tf.TensorLike };

/** Inputs and labels of a batch, whichever the spelling. */
export const partsOf = (batch: LabelledBatch): { x: Inputs; y: tf.Tensor | tf.TensorLike } =>
  'xs' in batch ? { x: batch.xs, y: batch.ys } : batch;

/** Inputs as tensors, in the model's order. Arrays become tensors inside the caller's `tf.tidy`. */
export function inputTensors(network: Network, inputs: Inputs): E.Either<LaplaceError, ReadonlyArray<tf.Tensor>> {
  const { model } = network;
  const tensors = listInputs(inputs, model.inputNames);
  const expected = model.inputs.map((t) => t.shape);
  const fits =
    tensors.length === expected.length &&
    tensors.every(
      (t, i) => shapeFits(t.shape, expected[i] as ReadonlyArray<number | null>) && t.shape[0] === tensors[0]?.shape[0],
    );
  if (fits && (tensors[0]?.shape[0] ?? 0) > 0) return E.right(tensors);
  return E.left(
    laplaceError('InvalidInput', {
      what: `The inputs do not fit model '${model.name}'`,
      field: 'x',
      found: tensors.map((t) => describe(t.shape)).join(', ') || 'nothing',
      expected: `${expected.map(describe).join(', ')} with B >= 1`,
    }),
  );
}

/** Labels as a tensor that can belong to `size` examples. Their range is checked on the device, see `Health`. */
export function labelTensor(network: Network, y: tf.Tensor | tf.TensorLike, size: number): E.Either<LaplaceError, tf.Tensor> {
  const { likelihoodOps: ops, outputs } = network;
  const labels = isTensor(y) ? y : tf.tensor(y);
  if (ops.labelShapeFits(labels.shape, size, outputs)) return E.right(labels);
  return E.left(
    laplaceError('InvalidLabels', {
      what: `The labels do not fit the ${ops.name} likelihood`,
      field: 'y',
      found: `shape [${labels.shape.join(', ')}] for a batch of ${size}`,
      expected: ops.labels(outputs),
    }),
  );
}

function listInputs(inputs: Inputs, names: ReadonlyArray<string>): ReadonlyArray<tf.Tensor> {
  if (isTensor(inputs)) return [inputs];
  if (Array.isArray(inputs) && inputs.length > 0 && inputs.every(isTensor)) return inputs as unknown as tf.Tensor[];
  if (typeof inputs === 'object' && !Array.isArray(inputs) && !ArrayBuffer.isView(inputs)) {
    const record = inputs as Readonly<Record<string, tf.Tensor>>;
    return names.flatMap((name) => (record[name] === undefined ? [] : [record[name]]));
  }
  return [tf.tensor(inputs as tf.TensorLike)];
}

/** By shape of the value, not by class: a tensor may come from another copy of tfjs-core. */
const isTensor = (value: unknown): value is tf.Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value;

const shapeFits = (found: ReadonlyArray<number>, expected: ReadonlyArray<number | null>): boolean =>
  found.length === expected.length && expected.every((d, i) => d === null || d === found[i]);

const describe = (shape: ReadonlyArray<number | null>): string => `[${shape.map((d) => d ?? 'B').join(', ')}]`;
