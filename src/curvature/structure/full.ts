/**
 * All covered weights together: Σ ĝ ĝᵀ [W, W] over examples and columns, ĝ the gradients of all covered weights laid end to end in one
 * column of W = n numbers. The estimator puts them together when every block is reached.
 */
import { gram, type SummedStructure, type SumShape } from './structure.js';

export const full = {
  scope: 'network',
  sums: ({ n }) => ({ gradient: gram(n) }),
  operations: ({ n, m }, { positions, rows }) => rows * positions * n * m,
  cubes: ({ n }) => n ** 3,
  factorRows: ({ n, m }) => Math.max(n, m),
  words: () => 'all weights together',
} as const satisfies SummedStructure<{ readonly gradient: SumShape }>;
