/**
 * Checks the arguments of the metrics. Class probabilities [N][C] are rows of numbers in [0, 1] that add up to 1. Rows of one
 * number, as a `bernoulli` model with one output predicts them, are probabilities of class 1, and stand for two classes. Labels [N] are
 * integers from 0 to C − 1. N >= 1. Arguments that pass are free of NaN, so no metric can return NaN.
 *
 * A check returns the first problem that it finds. `sound` makes an `Either` of a problem and a value.
 */
import { either as E, function as F } from 'fp-ts';
import { hasFields, isArrayLike, type Kind, ofKind, tagged } from '../codec/index.js';
import { type LaplaceError, type LaplaceErrorKind, laplaceError } from '../errors.js';

/** N rows of numbers: typed or plain arrays, as predictions give them. */
export type NumberRows = ReadonlyArray<ArrayLike<number>>;

/** Rows must add up to 1 within this. The float32 rounding of many classes passes, logits do not. */
const ROW_SUM_TOLERANCE = 1e-3;

/** What is wrong with the arguments; undefined if nothing is. */
export type Problem = LaplaceError | undefined;

/** The value, or the problem that keeps it from being computed. */
export const sound = <A>(problem: Problem, value: () => A): E.Either<LaplaceError, A> =>
  problem === undefined ? E.right(value()) : E.left(problem);

/**
 * Probabilities of two classes [N][2] from the probabilities of class 1 [N], for a binary classifier or one label of several.
 *
 * @returns the rows, or `InvalidInput` for numbers outside [0, 1], `NotFinite` for NaN.
 *
 * @example
 * ```ts
 * import { either as E, function as F } from 'fp-ts';
 * import { binaryRows, nll } from 'tfjs-laplace';
 *
 * binaryRows([0.25, 1]); // => E.right([[0.75, 0.25], [0, 1]])
 * F.pipe(binaryRows([0.5]), E.chain((rows) => nll(rows, [1]))); // => E.right(Math.LN2)
 * ```
 */
export function binaryRows(p: ArrayLike<number>): E.Either<LaplaceError, ReadonlyArray<readonly [number, number]>> {
  const outside = firstOf(p ?? [], (v) => !(v >= 0 && v <= 1));
  const problem =
    notA(NUMBERS, p, 'p') ??
    (outside &&
      problemOf(
        `probability ${outside.at}`,
        String(outside.value),
        'a number in [0, 1]',
        Number.isNaN(outside.value) ? 'NotFinite' : 'InvalidInput',
      ));
  return sound(problem, () => Array.from(p, (v) => [1 - v, v] as const));
}

/**
 * The class with the highest probability in each row, [N]. If several are equal, it is the lowest one. For rows of one number, the
 * probability of class 1, it is 1 above ½.
 */
export const predictedClasses = (probabilities: NumberRows): Int32Array => Int32Array.from(probabilities, mostProbable);

function mostProbable(row: ArrayLike<number>): number {
  if (row.length === 1) return (row[0] as number) > 0.5 ? 1 : 0;
  let best = 0;
  for (let c = 1; c < row.length; c++) if ((row[c] as number) > (row[best] as number)) best = c;
  return best;
}

/**
 * Indices of the values from lowest to highest. Equal values keep their order. So do equal infinities: their difference is NaN,
 * which `sort` takes for 0.
 */
export const ascending = (values: ArrayLike<number>): Uint32Array =>
  Uint32Array.from(values, (_, i) => i).sort((i, j) => (values[i] as number) - (values[j] as number));

/** The first value that passes a test, and its place. */
function firstOf(
  values: ArrayLike<number>,
  test: (value: number) => boolean,
): { readonly at: number; readonly value: number } | undefined {
  for (let at = 0; at < values.length; at++) if (test(values[at] as number)) return { at, value: values[at] as number };
  return undefined;
}

/** The first problem among those of the rows. */
function firstProblem(rows: NumberRows, problemIn: (row: ArrayLike<number>, i: number) => Problem): Problem {
  for (const [i, row] of rows.entries()) {
    const problem = problemIn(row, i);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * Checks probabilities.
 *
 * @returns the rows with at least two classes: rows of one number p become [1 − p, p].
 */
export function classRows(probabilities: NumberRows): E.Either<LaplaceError, NumberRows> {
  const binary = probabilities?.[0]?.length === 1;
  const problem =
    checkRows(probabilities, 'probabilities') ?? firstProblem(probabilities, binary ? notAProbability : notADistribution);
  return sound(problem, () => (binary ? probabilities.map((row) => bothClasses(row[0] as number)) : probabilities));
}

// A float32 mean may exceed 1 by a rounding.
const bothClasses = (p: number): readonly [number, number] => [Math.max(0, 1 - p), p];

function notAProbability(row: ArrayLike<number>, i: number): Problem {
  const [p] = row as readonly [number];
  if (p >= 0 && p <= 1 + ROW_SUM_TOLERANCE) return undefined;
  return problemOf(`probabilities[${i}][0]`, String(p), 'a number in [0, 1]');
}

function notADistribution(row: ArrayLike<number>, i: number): Problem {
  const negative = firstOf(row, (p) => p < 0);
  if (negative !== undefined) {
    return problemOf(`probabilities[${i}][${negative.at}]`, String(negative.value), 'a number >= 0');
  }
  const sum = Array.from(row).reduce((total, p) => total + p, 0);
  if (Math.abs(sum - 1) <= ROW_SUM_TOLERANCE) return undefined;
  return laplaceError('InvalidInput', {
    what: `The sum of probabilities[${i}]`,
    field: 'probabilities',
    found: String(sum),
    expected: '1',
    remedy:
      'Several labels that are independent of each other are scored one by one: binaryRows(rows.map((row) => row[k])) for label k.',
  });
}

/**
 * Checks probabilities and their labels.
 *
 * @returns the rows with at least two classes, as `classRows` gives them.
 */
export const labelled = (probabilities: NumberRows, labels: ArrayLike<number>): E.Either<LaplaceError, NumberRows> =>
  F.pipe(
    classRows(probabilities),
    E.chain((rows) => sound(checkLabels(labels, rows), () => rows)),
  );

function checkLabels(labels: ArrayLike<number>, rows: NumberRows): Problem {
  const list = notA(NUMBERS, labels, 'labels');
  if (list !== undefined) return list;
  const C = rows[0]?.length ?? 0;
  const foreign = firstOf(labels, (y) => !Number.isInteger(y) || y < 0 || y >= C);
  return (
    checkCount(labels.length, rows.length, 'labels') ??
    (foreign &&
      problemOf(
        `labels[${foreign.at}]`,
        String(foreign.value),
        `an integer from 0 to ${C - 1}`,
        'InvalidLabels',
        isList(foreign.value) ? 'One-hot rows become class numbers by predictedClasses(rows).' : undefined,
      ))
  );
}

const isList = (value: unknown): value is ArrayLike<number> => isArrayLike(value);

const TENSOR = { is: hasFields('dataId'), remedy: 'Download it first: await tensor.array().' };
const PREDICTION = { is: tagged('classification'), remedy: 'Its field probabilities has the rows.' };
const NUMBERS: Kind<ArrayLike<number>> = { name: 'a list of numbers', is: isList, remedies: [TENSOR] };
const ROWS: Kind<NumberRows> = {
  name: 'rows of numbers',
  is: (value): value is NumberRows => Array.isArray(value),
  remedies: [TENSOR, PREDICTION, { is: isList, remedy: 'A list of probabilities of class 1 becomes rows by binaryRows.' }],
};

/** Checks that an argument is a list of rows at all. */
export const checkKind = (rows: unknown, field: string): Problem => notA(ROWS, rows, field);

/** What is wrong with an argument that is of another kind. */
const notA = <A>(kind: Kind<A>, value: unknown, field: string): Problem =>
  F.pipe(
    ofKind(field, kind, value),
    E.match(
      ({ found, expected, remedy }) => problemOf(field, `${found}`, `${expected}`, 'InvalidInput', remedy),
      () => undefined,
    ),
  );

/** Checks that rows are of one length >= 1 and finite. */
export function checkRows(rows: NumberRows, field: string): Problem {
  const foreign = notA(ROWS, rows, field) ?? firstProblem(rows, (row, i) => notA(NUMBERS, row, `${field}[${i}]`));
  if (foreign !== undefined) return foreign;
  if (rows.length === 0) return problemOf(field, 'no rows', 'at least one', 'Empty');
  const length = rows[0]?.length ?? 0;
  return firstProblem(rows, (row, i) => {
    if (row.length !== length || length === 0) {
      return problemOf(`${field}[${i}]`, `${row.length} numbers`, `${length || 'at least 1'}`);
    }
    const broken = firstOf(row, (v) => !Number.isFinite(v));
    return broken && problemOf(`${field}[${i}][${broken.at}]`, String(broken.value), 'a finite number', 'NotFinite');
  });
}

/** Checks that a list is not empty and has no NaN. Infinity is allowed, as only the order matters. */
export function checkOrdered(values: ArrayLike<number>, field: string): Problem {
  const foreign = notA(NUMBERS, values, field);
  if (foreign !== undefined) return foreign;
  if (values.length === 0) return problemOf(field, 'no numbers', 'at least one', 'Empty');
  const broken = firstOf(values, (v) => typeof v !== 'number' || Number.isNaN(v));
  return broken && problemOf(`${field}[${broken.at}]`, String(broken.value), 'a number', 'NotFinite');
}

/** Checks that a list is not empty, and holds finite numbers alone. */
export const checkFinite = (values: ArrayLike<number>, field: string): Problem => {
  const unordered = checkOrdered(values, field);
  if (unordered !== undefined) return unordered;
  const broken = firstOf(values, (v) => !Number.isFinite(v));
  return broken && problemOf(`${field}[${broken.at}]`, String(broken.value), 'a finite number', 'NotFinite');
};

export const checkCount = (found: number, expected: number, field: string): Problem =>
  found === expected ? undefined : problemOf(field, `${found} of them`, `${expected}`);

/** An error value. Its field is `what`, up to the first bracket. */
export const problemOf = (
  what: string,
  found: string,
  expected: string,
  kind: LaplaceErrorKind = 'InvalidInput',
  remedy?: string,
): LaplaceError => laplaceError(kind, { what, field: what.replace(/\[.*/s, ''), found, expected, ...(remedy && { remedy }) });
