/**
 * A table of curvatures λ [P·n, m], one for each direction: for diagonals, whose directions are the identity, and along the eigenvectors
 * of Kronecker factors (EKFAC). A table is damped exactly whatever the damping: the precision is N λ + τ.
 */
import { either as E } from 'fp-ts';
import { partsOf } from '../../curvature/structure/index.js';
import type { Matrix } from '../../types.js';
import { at, ofValues } from '../determinant.js';
import type { PosteriorStructure } from './structure.js';

/** The table and its directions. */
export interface TableParts {
  /** λ >= 0, the curvature of one example along the directions, [P·n, m]. */
  readonly curvature: Matrix;
  /** U_A [P·n, n]; without it the identity. */
  readonly inputVectors?: Matrix;
  /** U_G [P·m, m]; without it the identity. */
  readonly gradientVectors?: Matrix;
}

export const table: PosteriorStructure<TableParts> = {
  plan: (moments, { input, gradient }) => {
    const parts: TableParts = {
      curvature: partsOf(moments).squares as Matrix,
      ...(input && { inputVectors: input }),
      ...(gradient && { gradientVectors: gradient }),
    };
    return { asks: [], build: () => E.right(parts) };
  },
  determinant: ({ parts }, { datasetSize: N }) => at(ofValues(parts.curvature.data), { scale: N }),
  precisions: ({ parts, priorPrecision }, { datasetSize: N }) => ({
    _tag: 'table',
    curvature: parts.curvature.data.map((v) => N * v),
    shift: priorPrecision,
  }),
};
