/**
 * All covered weights together: the sum Σ ĝ ĝᵀ [W, W] over examples and columns. ĝ holds the gradients of all covered weights end
 * to end, in one column of W numbers; the layout's n is W here. The estimator (`estimator.ts`) builds ĝ when the backward pass
 * has reached every block.
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
