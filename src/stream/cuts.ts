/**
 * Cuts what holds a whole data set (tensors or arrays: one, a list or a record of them) into the same form for some of its examples.
 * Nothing is made before a cut is asked for. A tensor's cut lives in the caller's `tf.tidy`; an array's cut is an array.
 */
import * as tf from '@tensorflow/tfjs-core';
import { isArrayLike } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { type Given, isFlat, isRecord, isTensor, isTensorList, unusable } from '../network/arrays.js';

/** The inputs, the labels or the weights of a data set. */
export type Role = 'x' | 'y' | 'weights';

/** What holds a data set's inputs, labels or weights. */
export interface Cuttable {
  readonly parts: ReadonlyArray<Part>;
  /** Some of N examples, in the form in which all were given. */
  readonly cut: (range: Range) => unknown;
}

/** One tensor or array. */
export interface Part {
  readonly field: string;
  /** The length of a tensor or array: examples, but for a flat array of inputs. */
  readonly length: number;
  /** Whether it has one number at each place: a tensor of rank 1, or an array of numbers. */
  readonly vector: boolean;
  /** Whether it is a flat array of inputs. Then only N says how many of its numbers belong to an example. */
  readonly flat: boolean;
  readonly cut: (range: Range) => unknown;
}

/** `count` examples of N, from example `start` on. */
export interface Range {
  readonly start: number;
  readonly count: number;
  readonly N: number;
}

/** Reads what was given. Throws `InvalidLabels` or `InvalidInput` for a disposed tensor, for text, and where there are no numbers. */
export function cuttable(role: Role, value: unknown): Cuttable {
  if (isTensorList(value)) {
    const parts = value.map((own, i) => partOf(role, { field: value.length > 1 ? `${role}[${i}]` : role, value: own }));
    return { parts, cut: (range) => parts.map(({ cut }) => cut(range)) };
  }
  if (isRecord(value)) {
    const named = Object.entries(value).map(
      ([name, own]) => [name, partOf(role, { field: `${role}.${name}`, value: own })] as const,
    );
    if (named.length === 0) throw noNumbers(role, { field: role, value });
    return {
      parts: named.map(([, part]) => part),
      cut: (range) => Object.fromEntries(named.map(([name, { cut }]) => [name, cut(range)])),
    };
  }
  const part = partOf(role, { field: role, value });
  return { parts: [part], cut: part.cut };
}

const kindOf = (role: Role): 'InvalidLabels' | 'InvalidInput' => (role === 'y' ? 'InvalidLabels' : 'InvalidInput');

function partOf(role: Role, given: Given): Part {
  const { field, value } = given;
  const check = (): void => {
    const bad = unusable(kindOf(role), given);
    if (bad !== undefined) throw bad;
  };
  check();
  if (isTensor(value)) {
    const cut = ({ start, count }: Range): tf.Tensor => {
      // It may have been disposed meanwhile.
      check();
      const [, ...rest] = value.shape;
      return tf.slice(value, [start, ...rest.map(() => 0)], [count, ...rest]);
    };
    return { field, length: value.shape[0] ?? 0, vector: value.rank === 1, flat: false, cut };
  }
  if (!isArrayLike(value) || (Array.isArray(value) && value.some(isTensor))) throw noNumbers(role, given);
  const flat = role === 'x' && value.length > 0 && isFlat(value);
  const cut = ({ start, count, N }: Range): unknown => {
    const each = flat ? value.length / N : 1;
    const [first, end] = [start * each, (start + count) * each];
    return Array.isArray(value) ? value.slice(first, end) : (value as unknown as Float32Array).subarray(first, end);
  };
  return { field, length: value.length, vector: isFlat(value), flat, cut };
}

const noNumbers = (role: Role, { field, value }: Given): LaplaceError =>
  laplaceError(kindOf(role), {
    what: `There are no numbers for ${field}`,
    field,
    found: foundIn(value),
    expected: 'a tensor or an array, a list of tensors, or a record of tensors and arrays by name',
    remedy: 'For a tf.data.Dataset use fromDataset.',
  });

function foundIn(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (isArrayLike(value)) return 'a list of tensors and other values';
  return typeof value;
}
