/** A last layer of diagonal plus low rank written out from definitions: G, its sketch, and the weights' covariance. */
import { EigenvalueDecomposition, Matrix as MlMatrix, pseudoInverse } from 'ml-matrix';
import type { Matrix, Posterior, PosteriorLayer, Sketch } from 'tfjs-laplace';
import { testMatrix } from '../../../src/curvature/structure/sketch.js';
import { combination, identity, inverse, layerPrecision, meanOf, product, type Rows, transposed } from './dense64.js';
import { inRows } from './numbers.js';

/** diag(v). */
export const diagonalMatrix = (v: ArrayLike<number>): number[][] =>
  identity(v.length).map((row, i) => row.map((one) => one * (v[i] as number)));

const rowsOf = ({ cols, data }: Matrix): number[][] => inRows(data, cols);

/** diag(δ) + Z Zᵀ with the diagonal of G and the `rank` largest eigenvectors of Y (Ωᵀ Y)⁺ Yᵀ; and their share of the trace. */
export function sketched(G: Rows, sketch: Sketch): { readonly G: number[][]; readonly kept: number } {
  const omega = rowsOf(testMatrix(G.length, sketch));
  const Y = product(G, omega);
  // Pseudo-inverse by singular values above 1e-6 of the largest: those of a rank-deficient G are 1e-16.
  const core = pseudoInverse(new MlMatrix(product(transposed(omega), Y)), 1e-6).to2DArray();
  const approximate = new MlMatrix(product(Y, core, transposed(Y)));
  const { realEigenvalues: values, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(
    approximate.add(approximate.transpose()).mul(0.5),
    { assumeSymmetric: true },
  );
  const order = values.map((_, j) => j).sort((i, j) => (values[j] as number) - (values[i] as number));
  const chosen = order.slice(0, sketch.rank).filter((j) => (values[j] as number) > 1e-9 * Math.max(...values));
  const part = combination(
    [0, identity(G.length)],
    ...chosen.map((j) => {
      const v = vectors.getColumn(j);
      return [values[j] as number, v.map((a) => v.map((b) => a * b))] as const;
    }),
  );
  const rest = G.map((row, c) => (row[c] as number) - (part[c]?.[c] as number));
  const trace = (a: Rows): number => a.reduce((sum, row, i) => sum + (row[i] as number), 0);
  return { G: combination([1, part], [1, diagonalMatrix(rest)]), kept: trace(part) / trace(G) };
}

/** E[Λ]. */
export const meanHessian = (hessians: ReadonlyArray<Rows>): number[][] => meanOf(hessians);

/** The layer's A and G as its posterior has them. */
export function factorsOfLayer(layer: PosteriorLayer): { readonly A: number[][]; readonly G: number[][] } {
  if (layer.structure !== 'lowRank') throw new Error(`expected lowRank, found ${layer.structure}`);
  const { inputVectors, inputValues, diagonal, rankValues, rankVectors } = layer.parts;
  const U = rowsOf(inputVectors);
  const A = product(U, diagonalMatrix(inputValues.data), transposed(U));
  const own = diagonalMatrix(diagonal.data);
  if (rankValues === undefined || rankVectors === undefined) return { A, G: own };
  const B = rowsOf(rankVectors);
  return { A, G: combination([1, own], [1, product(B, diagonalMatrix(rankValues.data), transposed(B))]) };
}

/** The covariance of the row-major weights at T = 1, [n·m, n·m]. */
export function lowRankCovariance(posterior: Posterior): number[][] {
  const layer = posterior.layers[0] as PosteriorLayer;
  const { A, G } = factorsOfLayer(layer);
  return inverse(layerPrecision(A, G, posterior.datasetSize, layer.priorPrecision, posterior.damping._tag));
}
