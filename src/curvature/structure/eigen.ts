/**
 * The exact second moments of the gradients along given eigenvectors U_A and U_G of the Kronecker factors: the sum of the squared
 * entries of U_Aᵀ Ĝ U_G over examples and columns, [P·n, m]. Eigenvalue-corrected KFAC (George et al. 2018).
 */
import { closedSquares, squares, squaresOperations, squaresShape } from './squares.js';
import type { SummedStructure, SumShape } from './structure.js';

export const eigen = {
  scope: 'block',
  rotated: true,
  sums: (shape) => ({ squares: squaresShape(shape) }),
  addGradients: (subject, reached, sink) => sink.add(subject.layer, 'squares', squares(subject, reached)),
  closedForm: closedSquares,
  operations: (shape, cost) => {
    const { positions: T, rows: K } = cost;
    return squaresOperations(shape, cost) + T * shape.n ** 2 + K * T * shape.m ** 2;
  },
  cubes: ({ n, m }) => n ** 3 + m ** 3,
  factorRows: ({ n, m }) => Math.max(n, m),
  words: () => "moments along the factors' eigenvectors",
} as const satisfies SummedStructure<{ readonly squares: SumShape }>;
