/** Labels and weights of a batch as tensors whose shapes fit the network and the number of examples. Errors name the field. */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { asTensor, isRecord, isTensorList, unusable } from './arrays.js';
import type { Head } from './heads.js';
import type { Network } from './network.js';

/**
 * Labels as tensors whose shapes fit `size` examples, one tensor for each output of the model. The range of the labels is checked
 * later, on the device (see `stream/health.ts`).
 */
export function labelTensors(
  { heads, model }: Pick<Network, 'heads' | 'model'>,
  y: unknown,
  size: number,
): E.Either<LaplaceError, ReadonlyArray<tf.Tensor>> {
  const ofOutput = ([head, value]: readonly [Head, unknown]): E.Either<LaplaceError, tf.Tensor> => {
    const field = labelField(heads, head);
    const bad = unusable('InvalidLabels', { field, value });
    if (bad !== undefined) return E.left(bad);
    return F.pipe(
      asTensor(value),
      E.filterOrElse(
        (labels) => head.ops.labelShapeFits(labels.shape, size, head.outputs),
        (labels) => `shape [${labels.shape.join(', ')}] for a batch of ${size}`,
      ),
      E.mapLeft((found) =>
        laplaceError('InvalidLabels', {
          what: `The labels${ofHead(heads, head)} do not fit the ${head.ops.name} likelihood`,
          field,
          found,
          expected: head.ops.labels(head.outputs),
        }),
      ),
    );
  };
  const given = listLabels(y, heads);
  if (given.length === heads.length) return E.traverseArray(ofOutput)(heads.map((head, i) => [head, given[i]] as const));
  return E.left(
    laplaceError('InvalidLabels', {
      what: `The labels do not match the outputs of model '${model.name}'`,
      field: 'y',
      found: isRecord(y) ? Object.keys(y).join(', ') || 'nothing' : `${given.length}`,
      expected: `labels for ${heads.map(({ name }) => name).join(', ')}: a record by name, or a list of tensors in this order`,
    }),
  );
}

/** The field of an output's labels, for error messages. */
export const labelField = (heads: ReadonlyArray<Head>, { name }: Head): string => (heads.length > 1 ? `y.${name}` : 'y');

/** The output in words, for error messages. Empty if the model has only one. */
export const ofHead = (heads: ReadonlyArray<Head>, { name }: Head): string => (heads.length > 1 ? ` of output '${name}'` : '');

/** The labels of each output that has any. */
function listLabels(y: unknown, heads: ReadonlyArray<Head>): ReadonlyArray<unknown> {
  if (isTensorList(y)) return y;
  return isRecord(y) ? heads.flatMap(({ name }) => (Object.hasOwn(y, name) ? [y[name]] : [])) : [y];
}

/**
 * Weights of `size` examples as a tensor [B]; undefined where there are none. Their range is checked later, on the device (see
 * `stream/health.ts`).
 */
export function weightTensor(weights: unknown, size: number): E.Either<LaplaceError, tf.Tensor1D | undefined> {
  if (weights === undefined || weights === null) return E.right(undefined);
  const bad = unusable('InvalidInput', { field: 'weights', value: weights });
  if (bad !== undefined) return E.left(bad);
  return F.pipe(
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
}
