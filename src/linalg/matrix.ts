/**
 * Dense float64 matrices on the host: the few operations that pure code needs. Every function returns a new frozen value and
 * leaves its arguments as they are. Sizes that don't fit are a programmer's mistake and throw `InvalidInput`.
 */
import { laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';

/**
 * A matrix from its entries, row by row. A `Float64Array` is taken over, not copied: don't write to it afterwards.
 *
 * @example
 * ```ts
 * import { matrix, transpose } from './matrix.js';
 *
 * const a = matrix(2, 2, [1, 2, 3, 4]); // rows [1, 2] and [3, 4]
 * transpose(a).data; // => Float64Array.of(1, 3, 2, 4)
 * ```
 */
export function matrix(rows: number, cols: number, data: ArrayLike<number>): Matrix {
  if (data.length !== rows * cols) {
    const [found, expected] = [`${data.length} entries`, `${rows} x ${cols} = ${rows * cols}`];
    throw laplaceError('InvalidInput', { what: 'The size of the matrix does not fit its data', found, expected });
  }
  return Object.freeze({ rows, cols, data: ArrayBuffer.isView(data) ? (data as Float64Array) : Float64Array.from(data) });
}

/** I [n, n]. */
export function identity(n: number): Matrix {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return matrix(n, n, data);
}

/** Aᵀ. */
export function transpose({ rows, cols, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) out[j * rows + i] = data[i * cols + j] as number;
  }
  return matrix(cols, rows, out);
}

/** A + B. */
export function plus(a: Matrix, b: Matrix): Matrix {
  return matrix(
    a.rows,
    a.cols,
    a.data.map((v, i) => v + (b.data[i] as number)),
  );
}

/** The matrix, `factor` times as large. */
export function times({ rows, cols, data }: Matrix, factor: number): Matrix {
  return matrix(
    rows,
    cols,
    data.map((v) => v * factor),
  );
}

/** ½ (A + Aᵀ), symmetric to the last bit. */
export function symmetricPart({ rows: n, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      // The entries are halved before they are added: so nothing overflows, and halves are exact.
      const mean = 0.5 * (data[i * n + j] as number) + 0.5 * (data[j * n + i] as number);
      out[i * n + j] = mean;
      out[j * n + i] = mean;
    }
  }
  return matrix(n, n, out);
}

/** How many terms of a sum are added at once, so that the entry of the product is read and written a quarter as often. */
const UNROLL = 4;

/**
 * A B. O(rows · inner · cols) in plain JavaScript, about 1 ns a multiplication: meant for one product, not for a loop of them.
 */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a.cols !== b.rows) {
    const found = `[${a.rows}, ${a.cols}] and [${b.rows}, ${b.cols}]`;
    throw laplaceError('InvalidInput', { what: 'The matrices cannot be multiplied', found, expected: 'equal inner sizes' });
  }
  const { rows, cols: inner } = a;
  const { cols } = b;
  const [A, B, out] = [a.data, b.data, new Float64Array(rows * cols)];
  for (let i = 0; i < rows; i++) {
    const row = i * cols;
    let k = 0;
    for (; k + UNROLL <= inner; k += UNROLL) {
      const at = i * inner + k;
      const [a0, a1, a2, a3] = [A[at] as number, A[at + 1] as number, A[at + 2] as number, A[at + 3] as number];
      const b0 = k * cols;
      const [b1, b2, b3] = [b0 + cols, b0 + 2 * cols, b0 + 3 * cols];
      for (let j = 0; j < cols; j++) {
        const left = a0 * (B[b0 + j] as number) + a1 * (B[b1 + j] as number);
        const right = a2 * (B[b2 + j] as number) + a3 * (B[b3 + j] as number);
        out[row + j] = (out[row + j] as number) + (left + right);
      }
    }
    for (; k < inner; k++) {
      const factor = A[i * inner + k] as number;
      for (let j = 0; j < cols; j++) out[row + j] = (out[row + j] as number) + factor * (B[k * cols + j] as number);
    }
  }
  return matrix(rows, cols, out);
}
