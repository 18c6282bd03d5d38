/** What sets and intervals do on labelled examples: how often they hold the label, and how large they are. Each costs O(N). */
import { either as E, function as F } from 'fp-ts';
import { hasFields, isArrayLike, type Kind, ofKind } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { checkCount, checkOrdered, type NumberRows, type Problem, problemOf, sound } from '../metrics/rows.js';

/** Sets of classes [N], as `predictionSets` gives them. */
export type ClassSets = ReadonlyArray<ArrayLike<number>>;

const SETS: Kind<ClassSets> = {
  name: 'a list of sets of classes',
  is: (value): value is ClassSets => Array.isArray(value) && value.every(isArrayLike),
};

const checkedSets = (what: string, sets: ClassSets): E.Either<LaplaceError, ClassSets> =>
  F.pipe(
    ofKind(what, SETS, sets),
    E.chain((own) => sound(own.length === 0 ? problemOf('sets', 'no sets', 'at least one', 'Empty') : undefined, () => own)),
  );

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The share of sets that hold the label.
 *
 * @param sets class numbers of each example, [N].
 * @param labels classes [N].
 * @returns the share, in [0, 1]. `InvalidInput`, `InvalidLabels` or `Empty` for lists that don't fit.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { setCoverage } from 'tfjs-laplace';
 *
 * setCoverage([[0, 1], [2]], [1, 1]); // => E.right(0.5)
 * ```
 */
export const setCoverage = (sets: ClassSets, labels: ArrayLike<number>): E.Either<LaplaceError, number> =>
  F.pipe(
    checkedSets('setCoverage', sets),
    E.chain((own) =>
      sound(checkClasses(labels, own.length), () =>
        mean(own.map((set, i) => (Array.prototype.includes.call(set, labels[i]) ? 1 : 0))),
      ),
    ),
  );

/**
 * The mean number of classes in a set.
 *
 * @param sets class numbers of each example, [N].
 * @returns the mean, >= 0. `InvalidInput` or `Empty` for what is no list of sets.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { meanSetSize } from 'tfjs-laplace';
 *
 * meanSetSize([[0, 1], [2]]); // => E.right(1.5)
 * ```
 */
export const meanSetSize = (sets: ClassSets): E.Either<LaplaceError, number> =>
  F.pipe(
    checkedSets('meanSetSize', sets),
    E.map((own) => mean(own.map(({ length }) => length))),
  );

function checkClasses(labels: ArrayLike<number>, N: number): Problem {
  const problem = checkOrdered(labels, 'labels') ?? checkCount(labels.length, N, 'labels');
  if (problem !== undefined) return problem;
  const foreign = Array.from(labels).findIndex((y) => !Number.isSafeInteger(y) || y < 0);
  return foreign < 0 ? undefined : problemOf(`labels[${foreign}]`, String(labels[foreign]), 'an integer >= 0', 'InvalidLabels');
}

/** Ends of intervals [N][T], infinite ones too. An interval whose lower end is above its upper end is empty. */
export interface Bounds {
  readonly lower: NumberRows;
  readonly upper: NumberRows;
}

const BOUNDS: Kind<Bounds> = { name: 'intervals { lower, upper }', is: (v): v is Bounds => hasFields('lower', 'upper')(v) };
const ROWS: Kind<NumberRows> = { name: 'rows of numbers', is: (v): v is NumberRows => Array.isArray(v) };

/**
 * The share of targets within their intervals, over all entries.
 *
 * @param intervals ends [N][T], as `predictionIntervals` or `credibleIntervals` gives them.
 * @param targets [N][T].
 * @returns the share, in [0, 1]. `InvalidInput`, `NotFinite` or `Empty` for rows that don't fit.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { boundsCoverage } from 'tfjs-laplace';
 *
 * boundsCoverage({ lower: [[0], [0]], upper: [[1], [Infinity]] }, [[2], [2]]); // => E.right(0.5)
 * ```
 */
export const boundsCoverage = (intervals: Bounds, targets: NumberRows): E.Either<LaplaceError, number> =>
  F.pipe(
    ofKind('boundsCoverage', BOUNDS, intervals),
    E.chain(({ lower, upper }) =>
      F.pipe(
        ordered(targets, 'targets'),
        E.chain((rows) =>
          F.pipe(
            ordered(lower, 'lower', rows),
            E.chain(() => ordered(upper, 'upper', rows)),
            E.map(() => rows),
          ),
        ),
        E.map((rows) =>
          mean(
            rows.flatMap((row, i) =>
              Array.from(row, (y, t) => (y >= (lower[i]?.[t] as number) && y <= (upper[i]?.[t] as number) ? 1 : 0)),
            ),
          ),
        ),
      ),
    ),
  );

/** Rows of numbers, infinite ones too, of the same shape as other rows. */
const ordered = (rows: NumberRows, field: string, like?: NumberRows): E.Either<LaplaceError, NumberRows> =>
  F.pipe(
    ofKind(field, ROWS, rows),
    E.chain((own) => {
      const first = own.map((row, i) => checkOrdered(row, `${field}[${i}]`)).find((problem) => problem !== undefined);
      const none = own.length === 0 ? problemOf(field, 'no rows', 'at least one', 'Empty') : undefined;
      return sound(none ?? first ?? (like && sameShape(own, like, field)), () => own);
    }),
  );

const sameShape = (rows: NumberRows, like: NumberRows, field: string): Problem =>
  checkCount(rows.length, like.length, field) ??
  rows
    .map((row, i) => checkCount(row.length, like[i]?.length as number, `${field}[${i}]`))
    .find((problem) => problem !== undefined);
