/**
 * Turns a batch as the user gives it into tensors, and checks the shapes of its inputs, labels and weights against the network.
 * Errors name the field.
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Head } from './heads.js';
import type { Network } from './network.js';

/** Inputs of one batch: a tensor (or nested array) [B, …], one per model input, or a record by input name. */
export type Inputs = tf.TensorLike | tf.Tensor | ReadonlyArray<tf.Tensor> | Readonly<Record<string, tf.Tensor>>;

/**
 * Labels of one batch: a tensor (or nested array) [B, …] of the shape that the likelihood takes. For a model with several
 * outputs: a list of tensors in the model's order, or a record by output name.
 */
export type Labels = tf.TensorLike | tf.Tensor | ReadonlyArray<tf.Tensor> | Readonly<Record<string, tf.Tensor | tf.TensorLike>>;

/**
 * A batch with labels, in either spelling of tfjs (`tf.data` uses `xs` and `ys`). `weights` [B] say how often each example
 * counts: finite numbers >= 0, which need not be whole. Without weights each example counts once.
 */
export type LabelledBatch = ({ readonly x: Inputs; readonly y: Labels } | { readonly xs: Inputs; readonly ys: Labels }) & {
  readonly weights?: tf.Tensor | tf.TensorLike;
};

/** Inputs, labels and weights of a batch in either spelling. All are undefined if there is no batch. */
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

/**
 * Labels as tensors whose shapes fit `size` examples, one tensor for each output of the model. The range of the labels is checked
 * later, on the device (see `stream/health.ts`).
 */
export function labelTensors(
  { heads, model }: Pick<Network, 'heads' | 'model'>,
  y: unknown,
  size: number,
): E.Either<LaplaceError, ReadonlyArray<tf.Tensor>> {
  const given = listLabels(y, heads);
  const ofOutput = (head: Head, own: unknown): E.Either<LaplaceError, tf.Tensor> =>
    F.pipe(
      asTensor(own),
      E.filterOrElse(
        (labels) => head.ops.labelShapeFits(labels.shape, size, head.outputs),
        (labels) => `shape [${labels.shape.join(', ')}] for a batch of ${size}`,
      ),
      E.mapLeft((found) =>
        laplaceError('InvalidLabels', {
          what: `The labels${ofHead(heads, head)} do not fit the ${head.ops.name} likelihood`,
          field: labelField(heads, head),
          found,
          expected: head.ops.labels(head.outputs),
        }),
      ),
    );
  if (given.length === heads.length)
    return E.traverseArray(([head, own]: [Head, unknown]) => ofOutput(head, own))(heads.map((head, i) => [head, given[i]]));
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

function listLabels(y: unknown, heads: ReadonlyArray<Head>): ReadonlyArray<unknown> {
  if (Array.isArray(y) && y.length > 0 && y.every(isTensor)) return y;
  const named = isRecord(y) ? heads.flatMap(({ name }) => (Object.hasOwn(y, name) ? [y[name]] : [])) : [];
  return named.length > 0 || (heads.length > 1 && isRecord(y)) ? named : [y];
}

/** Takes an object for a record of tensors or arrays if it is neither a tensor nor an array itself. */
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !isTensor(value) && !isNested(value);

/**
 * Weights of `size` examples as a tensor [B]; undefined where there are none. Their range is checked later, on the device (see
 * `stream/health.ts`).
 */
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
  return isRecord(inputs) ? names.flatMap((name) => inputs[name] ?? []) : [inputs];
}

/** A tensor as it is, or a tensor made of an array. Anything else gives a left that says what it is. */
function asTensor(value: unknown): E.Either<string, tf.Tensor> {
  if (isTensor(value)) return value.isDisposed ? E.left('a disposed tensor') : E.right(value);
  if (value === undefined || value === null) return E.left('nothing');
  if (!isNested(value) && typeof value !== 'number') return E.left(typeof value);
  const shape = shapeOf(value);
  return isEven(value, shape)
    ? E.right(tf.tensor(value as tf.TensorLike, shape))
    : E.left('nested arrays of uneven length, or with entries that are not numbers');
}

type Nested = ArrayLike<unknown>;

const isNested = (value: unknown): value is Nested => Array.isArray(value) || ArrayBuffer.isView(value);

/** The shape of nested arrays, as their first entries have it. */
const shapeOf = (value: unknown): number[] => (isNested(value) ? [value.length, ...shapeOf(value[0])] : []);

/** Whether all entries have that shape. tfjs would take an uneven array and leave the rest of the tensor to chance. */
const isEven = (value: unknown, [length, ...rest]: ReadonlyArray<number>): boolean =>
  isNested(value)
    ? value.length === length && Array.prototype.every.call(value, (entry) => isEven(entry, rest))
    : length === undefined && (typeof value === 'number' || typeof value === 'boolean');

/** Tells a tensor by its members, not by its class: it may come from another copy of tfjs-core. */
export const isTensor = (value: unknown): value is tf.Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value;

const shapeFits = (found: ReadonlyArray<number>, expected: ReadonlyArray<number | null>): boolean =>
  found.length === expected.length && expected.every((d, i) => d === null || d === found[i]);

const describe = (shape: ReadonlyArray<number | null>): string => `[${shape.map((d) => d ?? 'B').join(', ')}]`;
