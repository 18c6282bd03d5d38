/**
 * Tensors out of what a user gives: a tensor, nested arrays of numbers, or a typed array.
 *
 * A flat array for inputs of several dimensions is laid out in rows of the model's own shape. Arrays become float32; integers in a typed
 * array of integers stay int32. tfjs itself would take an uneven array and leave the rest of the tensor to chance.
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import { isArrayLike } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';

/** Numbers that are no tensor: nested arrays, or a typed array. */
export type Numbers = tf.TensorLike | Float64Array | Int8Array | Int16Array | Uint16Array | Uint32Array;

/** One of the tensors or arrays that were given, with the field that error messages name. */
export interface Given {
  readonly field: string;
  readonly value: unknown;
}

/** Tells a tensor by its members, not by its class: it may come from another copy of tfjs-core. */
export const isTensor = (value: unknown): value is tf.Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value;

/** True for a list whose entries all are tensors: one for each input or output. */
export const isTensorList = (value: unknown): value is ReadonlyArray<tf.Tensor> =>
  Array.isArray(value) && value.length > 0 && value.every(isTensor);

/** Takes an object for a record of tensors or arrays if it is neither a tensor nor an array itself. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !isTensor(value) && !isArrayLike(value);

/** True for an array whose entries are no arrays. */
export const isFlat = (value: ArrayLike<unknown>): boolean => !isArrayLike(value[0]);

/** The error for a value that cannot be used whatever its shape: a disposed tensor, or text. Undefined for other values. */
export function unusable(kind: 'InvalidInput' | 'InvalidLabels', { field, value }: Given): LaplaceError | undefined {
  if (isTensor(value) && value.isDisposed) {
    return laplaceError(kind, {
      what: `The tensor ${field} is disposed`,
      field,
      found: 'a disposed tensor',
      expected: 'a tensor that lives until it has been used',
      remedy: 'Dispose it after the stream has ended.',
    });
  }
  const text = isTensor(value) ? value.dtype === 'string' : typeof firstOf(value) === 'string';
  if (!text) return undefined;
  return laplaceError(kind, {
    what: `${kind === 'InvalidLabels' ? 'The labels' : 'The inputs'} ${field} are text`,
    field,
    found: isTensor(value) ? 'a tensor of strings' : `'${firstOf(value)}'`,
    expected: 'numbers',
    remedy:
      kind === 'InvalidLabels'
        ? 'Number the classes: classes.indexOf(label) for each label, in one list of classes. Or give one-hot rows: tf.oneHot(numbers, C).'
        : 'Turn text into numbers first: tokens for an Embedding, or one-hot rows.',
  });
}

const firstOf = (value: unknown): unknown => (isArrayLike(value) ? firstOf(value[0]) : value);

/**
 * A tensor as it is, or a tensor made of an array. Anything else gives a left that says what it is.
 *
 * @param row the shape of one example. A flat array is laid out in such rows. Without it the array has the shape that its nesting shows.
 */
export function asTensor(value: unknown, row: ReadonlyArray<number | null> = []): E.Either<string, tf.Tensor> {
  if (isTensor(value)) return E.right(value);
  if (value === undefined || value === null) return E.left('nothing');
  if (typeof value === 'number' || typeof value === 'boolean') return E.right(tf.scalar(Number(value)));
  if (!isArrayLike(value)) return E.left(typeof value);
  const shape = isFlat(value) ? flatShape(value.length, row) : shapeOf(value);
  if (shape === undefined) return E.left(notRows(value.length, row));
  const numbers = isFlat(value) ? numbersOf(value, [value.length]) : numbersOf(value, shape);
  return numbers === undefined
    ? E.left('nested arrays of uneven length, or with entries that are not numbers')
    : E.right(tf.tensor(numbers, shape));
}

/** [B, …row] for a flat array of `length` numbers. Undefined where the numbers do not fill rows, or a dimension is open. */
function flatShape(length: number, row: ReadonlyArray<number | null>): number[] | undefined {
  if (row.length === 0) return [length];
  if (row.some((d) => d === null)) return undefined;
  const each = tf.util.sizeFromShape(row as number[]);
  return length % each === 0 ? [length / each, ...(row as number[])] : undefined;
}

const notRows = (length: number, row: ReadonlyArray<number | null>): string =>
  row.some((d) => d === null)
    ? `a flat array of ${length} numbers, whose shape the open dimensions of the input leave open`
    : `a flat array of ${length} numbers, which is no whole number of rows of ${tf.util.sizeFromShape(row as number[])}`;

/** The shape of nested arrays, as their first entries have it. */
const shapeOf = (value: unknown): number[] => (isArrayLike(value) ? [value.length, ...shapeOf(value[0])] : []);

/** Typed arrays of integers that tfjs keeps as int32, so that large tokens stay exact. */
const INTEGERS = new Set(['[object Int32Array]', '[object Uint8Array]', '[object Uint8ClampedArray]']);

/** The numbers of an array of that shape, row by row. Undefined if it has another shape somewhere, or entries that are no numbers. */
function numbersOf(value: ArrayLike<unknown>, shape: ReadonlyArray<number>): Float32Array | Int32Array | undefined {
  if (value instanceof Float32Array) return value;
  if (INTEGERS.has(Object.prototype.toString.call(value))) return Int32Array.from(value as ArrayLike<number>);
  const all = new Float32Array(tf.util.sizeFromShape([...shape]));
  let at = 0;
  const put = (entry: unknown, depth: number): boolean => {
    if (depth < shape.length) {
      return isArrayLike(entry) && entry.length === shape[depth] && Array.prototype.every.call(entry, (e) => put(e, depth + 1));
    }
    all[at++] = Number(entry);
    return typeof entry === 'number' || typeof entry === 'boolean';
  };
  return put(value, 0) ? all : undefined;
}
