/**
 * Checks the arguments of the metrics. Class probabilities [N][C] are rows of numbers in [0, 1] that add up to 1. Rows of one number, as a
 * `bernoulli` model with one output predicts them, are probabilities of class 1; they stand for two classes. Labels [N] are integers from 0
 * to C − 1. N >= 1.
 *
 * Metrics throw a `LaplaceError` instead of returning an `Either`: they are called last, on numbers at hand, where a mistake is
 * the script's own. Arguments that pass are free of NaN, so no metric can return NaN.
 */
import { type LaplaceError, type LaplaceErrorKind, laplaceError } from '../errors.js';

/** N rows of numbers: typed or plain arrays, as predictions give them. */
export type NumberRows = ReadonlyArray<ArrayLike<number>>;

/** Rows must add up to 1 within this. The float32 rounding of many classes passes, logits do not. */
const ROW_SUM_TOLERANCE = 1e-3;

/**
 * Probabilities of two classes [N][2] from those of class 1 [N], for a binary classifier or one label of several.
 *
 * @throws LaplaceError `InvalidInput` for numbers outside [0, 1], `NotFinite` for NaN.
 *
 * @example
 * ```ts
 * import { binaryRows } from 'tfjs-laplace';
 *
 * binaryRows([0.25, 1]); // => [[0.75, 0.25], [0, 1]]
 * ```
 */
export function binaryRows(p: ArrayLike<number>): ReadonlyArray<readonly [number, number]> {
  return Array.from(p, (v, i) => {
    if (!(v >= 0 && v <= 1))
      refuse(`probability ${i}`, String(v), 'a number in [0, 1]', Number.isNaN(v) ? 'NotFinite' : 'InvalidInput');
    return [1 - v, v] as const;
  });
}

/** Rows of one number are completed to two classes. Other rows are returned as they are. */
function classRows(probabilities: NumberRows): NumberRows {
  if (probabilities.length === 0 || probabilities.some((row) => row.length !== 1)) return probabilities;
  return probabilities.map((row, i) => {
    const p = row[0] as number;
    // A float32 mean may exceed 1 by a rounding.
    if (!(p >= 0 && p <= 1 + ROW_SUM_TOLERANCE)) refuse(`probabilities[${i}][0]`, String(p), 'a number in [0, 1]');
    return [Math.max(0, 1 - p), p];
  });
}

/**
 * The class with the highest probability in each row, [N]; among equals the lowest one. For rows of one number, the probability of class
 * 1, it is 1 above ½.
 */
export const predictedClasses = (probabilities: NumberRows): Int32Array =>
  Int32Array.from(classRows(probabilities), mostProbable);

function mostProbable(row: ArrayLike<number>): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if ((row[c] as number) > (row[best] as number)) best = c;
  return best;
}

/**
 * Indices of the values from lowest to highest. Equal values keep their order. So do equal infinities: their difference is NaN,
 * which
 * `sort` takes for 0.
 */
export const ascending = (values: ArrayLike<number>): Uint32Array =>
  Uint32Array.from(values, (_, i) => i).sort((i, j) => (values[i] as number) - (values[j] as number));

/** Checks probabilities, and returns them with at least two classes. */
export function checkProbabilities(probabilities: NumberRows): NumberRows {
  checkRows(probabilities, 'probabilities');
  const rows = classRows(probabilities);
  rows.forEach((row, i) => {
    let sum = 0;
    for (let c = 0; c < row.length; c++) {
      const p = row[c] as number;
      if (p < 0) refuse(`probabilities[${i}][${c}]`, String(p), 'a number >= 0');
      sum += p;
    }
    if (Math.abs(sum - 1) > ROW_SUM_TOLERANCE) throw notOneDistribution(i, sum);
  });
  return rows;
}

const notOneDistribution = (i: number, sum: number): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `The sum of probabilities[${i}]`,
    field: 'probabilities',
    found: String(sum),
    expected: '1',
    remedy:
      'Several labels that are independent of each other are scored one by one: binaryRows(rows.map((row) => row[k])) for label k.',
  });

/** Checks probabilities and their labels, and returns the probabilities with at least two classes. */
export function checkClassification(probabilities: NumberRows, labels: ArrayLike<number>): NumberRows {
  const rows = checkProbabilities(probabilities);
  const C = (rows[0] as ArrayLike<number>).length;
  checkCount(labels.length, rows.length, 'labels');
  for (let i = 0; i < labels.length; i++) {
    const y = labels[i] as number;
    if (!Number.isInteger(y) || y < 0 || y >= C) {
      refuse(`labels[${i}]`, String(y), `an integer from 0 to ${C - 1}`, 'InvalidLabels');
    }
  }
  return rows;
}

/** Checks that rows are of one length >= 1 and finite, and returns that length. */
export function checkRows(rows: NumberRows, field: string): number {
  if (rows.length === 0) refuse(field, 'no rows', 'at least one', 'Empty');
  const length = rows[0]?.length ?? 0;
  rows.forEach((row, i) => {
    if (row.length !== length || length === 0) refuse(`${field}[${i}]`, `${row.length} numbers`, `${length || 'at least 1'}`);
    for (let c = 0; c < length; c++) {
      if (!Number.isFinite(row[c])) refuse(`${field}[${i}][${c}]`, String(row[c]), 'a finite number', 'NotFinite');
    }
  });
  return length;
}

/** Checks that a list is not empty and has no NaN. Infinity is allowed, as only the order matters. */
export function checkOrdered(values: ArrayLike<number>, field: string): void {
  if (values.length === 0) refuse(field, 'no numbers', 'at least one', 'Empty');
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] !== 'number' || Number.isNaN(values[i]))
      refuse(`${field}[${i}]`, String(values[i]), 'a number', 'NotFinite');
  }
}

export function checkCount(found: number, expected: number, field: string): void {
  if (found !== expected) refuse(field, `${found} of them`, `${expected}`);
}

/** Throws a `LaplaceError`. Its field is `what`, up to the first bracket. */
export function refuse(what: string, found: string, expected: string, kind: LaplaceErrorKind = 'InvalidInput'): never {
  throw laplaceError(kind, { what, field: what.replace(/\[.*/s, ''), found, expected });
}
