/**
 * What users hand in as a batch, made into tensors and checked against the network: shapes of inputs and labels, with errors
 * that name the field.
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Network } from './network.js';

/** Inputs of one batch: a tensor (or nested array) [B, …], one per model input, or a record by input name. */
export type Inputs = tf.TensorLike | tf.Tensor | ReadonlyArray<tf.Tensor> | Readonly<Record<string, tf.Tensor>>;

/**
 * A batch with labels, in either of the spellings that tfjs uses (`xs`, `ys` are those of `tf.data`). `weights` [B] say how often each
 * example counts: finite numbers >= 0, not only whole ones. Without, each counts once.
 */
export type LabelledBatch = (
  | { readonly x: Inputs; readonly y: tf.Tensor | tf.TensorLike }
  | { readonly xs: Inputs; readonly ys: tf.Tensor | tf.TensorLike }
) & { readonly weights?: tf.Tensor | tf.TensorLike };

/** Inputs, labels and weights of a batch, whichever the spelling; all undefined where there is no batch. */
export function partsOf(batch: LabelledBatch | undefined): Readonly<Record<'x' | 'y' | 'weights', unknown>> {
  const { x, y, xs = x, ys = y, weights } = (batch ?? {}) as Readonly<Record<'x' | 'y' | 'xs' | 'ys' | 'weights', unknown>>;
  return { x: xs, y: ys, weights };
}

/** Inputs as tensors, in the model's order. Arrays become tensors inside the caller's `tf.tidy`. */
export function inputTensors(network: Network, inputs: unknown): E.Either<LaplaceError, ReadonlyArray<tf.Tensor>> {
  const { model } = network;
  const expected = model.inputs.map((t) => t.shape);
  const wrong = (found: string): LaplaceError =>
    laplaceError('InvalidInput', {
      what: `The inputs do not fit model '${model.name}'`,
      field: 'x',
      found: found || 'nothing',
      expected: `${expected.map(describe).join(', ')} with B >= 1`,
    });
  return F.pipe(
    listInputs(inputs, model.inputNames),
    E.traverseArray(asTensor),
    E.filterOrElse(
      (tensors) =>
        tensors.length === expected.length &&
        tensors.every((t, i) => shapeFits(t.shape, expected[i] as ReadonlyArray<number | null>)) &&
        tensors.every((t) => t.shape[0] === tensors[0]?.shape[0]) &&
        (tensors[0]?.shape[0] ?? 0) > 0,
      (tensors) => tensors.map((t) => describe(t.shape)).join(', '),
    ),
    E.mapLeft(wrong),
  );
}

/** Labels as a tensor that can belong to `size` examples. Their range is checked on the device, see `Health`. */
export function labelTensor(network: Network, y: unknown, size: number): E.Either<LaplaceError, tf.Tensor> {
  const { likelihoodOps: ops, outputs } = network;
  return F.pipe(
    asTensor(y),
    E.filterOrElse(
      (labels) => ops.labelShapeFits(labels.shape, size, outputs),
      (labels) => `shape [${labels.shape.join(', ')}] for a batch of ${size}`,
    ),
    E.mapLeft((found) =>
      laplaceError('InvalidLabels', {
        what: `The labels do not fit the ${ops.name} likelihood`,
        field: 'y',
        found,
        expected: ops.labels(outputs),
      }),
    ),
  );
}

/** Weights of `size` examples as a tensor [B]; undefined where there are none. Their range is checked on the device, see `Health`. */
export const weightTensor = (weights: unknown, size: number): E.Either<LaplaceError, tf.Tensor1D | undefined> =>
  weights === undefined || weights === null
    ? E.right(undefined)
    : F.pipe(
        asTensor(weights),
        E.filterOrElse(
          (w) => w.rank === 1 && w.shape[0] === size,
          (w) => `shape [${w.shape.join(', ')}] for a batch of ${size}`,
        ),
        E.bimap(
          (found) =>
            laplaceError('InvalidInput', {
              what: 'The weights do not fit the batch',
              field: 'weights',
              found,
              expected: `[${size}], a number >= 0 for each example`,
            }),
          (w) => tf.cast(w, 'float32') as tf.Tensor1D,
        ),
      );

function listInputs(inputs: unknown, names: ReadonlyArray<string>): ReadonlyArray<unknown> {
  if (isTensor(inputs)) return [inputs];
  if (Array.isArray(inputs) && inputs.length > 0 && inputs.every(isTensor)) return inputs;
  if (typeof inputs === 'object' && inputs !== null && !isNested(inputs)) {
    const record = inputs as Readonly<Record<string, unknown>>;
    return names.flatMap((name) => record[name] ?? []);
  }
  return [inputs];
}

/** A tensor as it is, or one made of an array; otherwise what was found instead. */
function asTensor(value: unknown): E.Either<string, tf.Tensor> {
  if (isTensor(value)) return value.isDisposed ? E.left('a disposed tensor') : E.right(value);
  if (value === undefined || value === null) return E.left('nothing');
  if (!isNested(value) && typeof value !== 'number') return E.left(typeof value);
  const shape = shapeOf(value);
  return isEven(value, shape)
    ? E.right(tf.tensor(value as tf.TensorLike, shape))
    : E.left('nested arrays of uneven length, or with something else than numbers');
}

type Nested = ArrayLike<unknown>;

const isNested = (value: unknown): value is Nested => Array.isArray(value) || ArrayBuffer.isView(value);

/** The shape that the first entries have. */
const shapeOf = (value: unknown): number[] => (isNested(value) ? [value.length, ...shapeOf(value[0])] : []);

/** Whether all entries have it: tfjs takes an uneven array and leaves the rest of the tensor to chance. */
const isEven = (value: unknown, [length, ...rest]: ReadonlyArray<number>): boolean =>
  isNested(value)
    ? value.length === length && Array.prototype.every.call(value, (entry) => isEven(entry, rest))
    : length === undefined && (typeof value === 'number' || typeof value === 'boolean');

/** By shape of the value, not by class: a tensor may come from another copy of tfjs-core. */
const isTensor = (value: unknown): value is tf.Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value;

const shapeFits = (found: ReadonlyArray<number>, expected: ReadonlyArray<number | null>): boolean =>
  found.length === expected.length && expected.every((d, i) => d === null || d === found[i]);

const describe = (shape: ReadonlyArray<number | null>): string => `[${shape.map((d) => d ?? 'B').join(', ')}]`;
