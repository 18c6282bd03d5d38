/**
 * Every engine gives eigenvectors in its own order and with its own signs. This file gives all of them the same order and signs.
 */
import type { Matrix } from '../types.js';
import type { SymmetricEigen } from './engine.js';
import { matrix } from './matrix.js';

/** A decomposition as an engine gives it: in any order, with any signs. */
export interface Decomposition {
  readonly values: ArrayLike<number>;
  readonly vectors: Matrix;
}

/**
 * A component counts as large if it is this close to the largest one of its column. The first large component decides the sign,
 * so that rounding does not.
 */
const TIE_TOLERANCE = 1e-6;

/** Orders the columns by ascending eigenvalue, and makes the first large component of each positive. */
export function canonical({ values, vectors }: Decomposition): SymmetricEigen {
  const n = values.length;
  const order = Uint32Array.from(values, (_, j) => j).sort((i, j) => (values[i] as number) - (values[j] as number));
  const signs = signsOf(vectors);
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let to = 0; to < n; to++) {
      const from = order[to] as number;
      data[i * n + to] = (signs[from] as number) * (vectors.data[i * n + from] as number);
    }
  }
  return Object.freeze({ values: Float64Array.from(order, (j) => values[j] as number), vectors: matrix(n, n, data) });
}

/** The sign of each column's first large component. */
function signsOf({ rows, cols, data }: Matrix): Float64Array {
  const large = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) large[j] = Math.max(large[j] as number, Math.abs(data[i * cols + j] as number));
  }
  const signs = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const v = data[i * cols + j] as number;
      if (signs[j] === 0 && Math.abs(v) >= (1 - TIE_TOLERANCE) * (large[j] as number)) signs[j] = v < 0 ? -1 : 1;
    }
  }
  return signs;
}
