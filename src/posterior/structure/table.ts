/**
 * Structures with a table of curvatures λ [P·n, m], one for each direction. For `diagonal` the directions are the identity. For
 * `eigen` (EKFAC) they are the eigenvectors of the Kronecker factors. A table is always damped exactly, whatever the posterior's
 * damping: the precision is N λ + τ.
 */
import { either as E } from 'fp-ts';
import { partsOf } from '../../curvature/structure/index.js';
import { times } from '../../linalg/matrix.js';
import type { Matrix } from '../../types.js';
import { at, ofValues } from '../determinant.js';
import type { PosteriorStructure } from './structure.js';

/** The table and its directions. */
export interface TableParts {
  /** λ [P·n, m], >= 0: the curvature of one example along each direction. */
  readonly curvature: Matrix;
  /** U_A [P·n, n]; the identity if absent. */
  readonly inputVectors?: Matrix;
  /** U_G [P·m, m]; the identity if absent. */
  readonly gradientVectors?: Matrix;
}

/** λ alone. */
const diagonalShapes: PosteriorStructure<TableParts>['shapes'] = ({ groups, n, m }) => ({
  curvature: { rows: groups * n, cols: m, isNonNegative: true },
});

const table: Omit<PosteriorStructure<TableParts>, 'shapes'> = {
  plan: (moments, { input, gradient }) => {
    const parts: TableParts = {
      curvature: partsOf(moments).squares as Matrix,
      ...(input && { inputVectors: input }),
      ...(gradient && { gradientVectors: gradient }),
    };
    return { asks: [], build: () => E.right(parts) };
  },
  scaled: (parts, factor) => ({ ...parts, curvature: times(parts.curvature, factor) }),
  determinant: ({ parts }, { datasetSize: N }) => at(ofValues(parts.curvature.data), { scale: N }),
  precisions: ({ parts, priorPrecision }, { datasetSize: N }) => ({
    _tag: 'table',
    curvature: parts.curvature.data.map((v) => N * v),
    shift: priorPrecision,
  }),
  outputSide: {
    shape: ({ groups, n, m }) => ({ rows: groups * n, cols: m }),
    plan: ({ parts }, side) => ({ asks: [], build: () => E.right({ ...parts, curvature: side }) }),
    count: ({ parts, priorPrecision: tau }, { datasetSize: N }, { data }) =>
      data.reduce((sum, own, i) => sum + (N * own) / (N * (parts.curvature.data[i] as number) + tau), 0),
  },
};

export const diagonal: PosteriorStructure<TableParts> = { ...table, shapes: diagonalShapes };

/** A side whose factor is diagonal already has no vectors. */
export const eigen: PosteriorStructure<TableParts> = {
  ...table,
  shapes: (size) => ({
    ...diagonalShapes(size),
    inputVectors: { rows: size.groups * size.n, cols: size.n, isOptional: true },
    gradientVectors: { rows: size.groups * size.m, cols: size.m, isOptional: true },
  }),
};
