/**
 * The distance to the k-th nearest training example among features of unit length, z / ‖z‖: 0 for a copy, √2 for orthogonal features, at
 * most 2. Features that are all 0 stay 0. A training example is its own first neighbour. It assumes nothing of how features are
 * distributed. Reference: Sun, Ming, Zhu & Li 2022. O(N (D + log N)) for each input, and N D numbers are kept: a random part of the training
 * data will do.
 */
import { either as E } from 'fp-ts';
import { defaulted, make, numberRows, type Options, positiveInteger, variant } from '../../codec/index.js';
import { type NumberRows, problemOf } from '../../metrics/rows.js';
import type { DetectorRule } from './rule.js';

export const NeighboursMethod = variant('nearestNeighbours', {
  /** k, an integer >= 1; default 50. */
  neighbours: defaulted(positiveInteger, 50),
});
export const NeighboursMap = variant('nearestNeighbours', {
  neighbours: positiveInteger,
  /** Features of unit length, [N][D]. */
  rows: numberRows('rows of finite numbers, all of one length'),
});

/** Options of `nearestNeighbours`. */
export type NeighboursOptions = Options<typeof NeighboursMethod>;

/**
 * Distances to nearest neighbours for `fitDetector` (Sun et al. 2022).
 *
 * @throws LaplaceError `InvalidOption` if `neighbours` is not an integer >= 1.
 *
 * @example
 * ```ts
 * import { nearestNeighbours } from 'tfjs-laplace';
 *
 * nearestNeighbours(); // => { _tag: 'nearestNeighbours', neighbours: 50 }
 * ```
 */
export const nearestNeighbours = (options: NeighboursOptions = {}): (typeof NeighboursMethod)['_A'] =>
  make('nearestNeighbours', NeighboursMethod, options);

export const neighboursRule: DetectorRule<(typeof NeighboursMethod)['_A'], (typeof NeighboursMap)['_A']> = {
  fit: ({ neighbours }, features) =>
    features.length < neighbours
      ? E.left(problemOf('features', `${features.length} rows`, `at least ${neighbours}, the option neighbours`))
      : E.right({ _tag: 'nearestNeighbours', neighbours, rows: features.map((row) => Array.from(unit(row))) }),
  apply: ({ neighbours, rows }, features) => {
    const known = flat(rows);
    return Float64Array.from(features, (row) => Math.sqrt(squaredDistances(known, unit(row)).sort()[neighbours - 1] as number));
  },
  suits: ({ rows, neighbours }, D) => rows[0]?.length === D && rows.length >= neighbours,
};

/** z / ‖z‖. The largest entry is taken out first, so that no square overflows. */
function unit(row: ArrayLike<number>): Float64Array {
  const z = Float64Array.from(row);
  const most = z.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  if (most === 0) return z;
  const scaled = z.map((v) => v / most);
  const norm = Math.sqrt(scaled.reduce((sum, v) => sum + v * v, 0));
  return scaled.map((v) => v / norm);
}

function flat(rows: NumberRows): Float64Array {
  const D = rows[0]?.length as number;
  const all = new Float64Array(rows.length * D);
  rows.forEach((row, i) => {
    for (let d = 0; d < D; d++) all[i * D + d] = row[d] as number;
  });
  return all;
}

function squaredDistances(known: Float64Array, z: Float64Array): Float64Array {
  const D = z.length;
  const squares = new Float64Array(known.length / D);
  for (let i = 0, at = 0; i < squares.length; i++) {
    let sum = 0;
    for (let d = 0; d < D; d++, at++) sum += ((known[at] as number) - (z[d] as number)) ** 2;
    squares[i] = sum;
  }
  return squares;
}
