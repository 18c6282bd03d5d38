/**
 * The engine that runs everywhere: ml-matrix's symmetric eigensolver in plain float64 JavaScript (Householder tridiagonalisation,
 * then implicit QL: EISPACK's tred2 and tql2, by way of JAMA). O(n³): 12 ms at n = 100, 0.6 s at 400, 10 to 18 s at 1200.
 */
import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix';
import type { Matrix } from '../types.js';
import { createEngine, type LinalgEngine } from './engine.js';
import { matrix } from './matrix.js';

/**
 * Linear algebra in plain JavaScript.
 *
 * @example
 * ```ts
 * import { javascriptEngine } from './javascript.js';
 *
 * const a = { rows: 2, cols: 2, data: Float64Array.of(2, 1, 1, 2) };
 * const eigen = javascriptEngine.symmetricEigen(a); // E.right: values 1 and 3
 * eigen._tag; // => 'Right'
 * ```
 */
export const javascriptEngine: LinalgEngine = createEngine('javascript', ({ rows: n, data }: Matrix) => {
  const decomposition = new EigenvalueDecomposition(MlMatrix.from1DArray(n, n, data), { assumeSymmetric: true });
  return { values: decomposition.realEigenvalues, vectors: matrix(n, n, decomposition.eigenvectorMatrix.to1DArray()) };
});
