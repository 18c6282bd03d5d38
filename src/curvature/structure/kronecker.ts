/**
 * Two factors: Σ a aᵀ [P·n, n] and Σ g gᵀ [P·m, m] over examples, positions as weight sharing says. The curvature of a layer is
 * N (A ⊗ G) with A and G their means. Martens & Grosse 2015; Grosse & Martens 2016 for convolutions.
 */
import type { HessianOps } from '../../likelihood/hessian.js';
import { gramProducts } from '../../network/matmul.js';
import type { Matrix } from '../../types.js';
import { gradientRows, inputRows, positionsOf } from './inputs.js';
import { type ClosedForm, gram, type LayerShape, type SumCost, type SummedStructure, type SumShape } from './structure.js';

/** Operations of Σ r rᵀ over rows of d numbers in P groups. */
export const gramOperations = ({ groups }: LayerShape, d: number): number => (groups === 1 ? gramProducts(d) : d * d);

/** Operations of the output factor: a closed form adds up whole matrices Λ. */
export const outputOperations = (shape: LayerShape, { positions, rows, reduce, closed }: SumCost): number =>
  rows * (reduce ? 1 : positions) * (closed ? shape.m ** 2 : gramOperations(shape, shape.m));

/** Σ Λ in place of Σ g gᵀ: the pre-activation of the last layer is f itself. */
export const closedFactor =
  (input: (shape: LayerShape) => SumShape) =>
  (shape: LayerShape, hessian: HessianOps): ClosedForm => ({
    sums: { input: input(shape), gradient: { rows: shape.m, cols: hessian.partialCols(shape.m) } },
    observe: ({ tape, weights }, { layer }, sink) => sink.add(layer, 'gradient', hessian.partial(tape.outputs, weights)),
    completed: ({ input: A, gradient }) => ({ input: A as Matrix, gradient: hessian.completed(gradient as Matrix) }),
  });

const inputSum = (shape: LayerShape): SumShape => gram(shape.n, shape.groups, positionsOf(shape));

export const kronecker = {
  scope: 'block',
  sums: (shape) => ({ input: inputSum(shape), gradient: gram(shape.m, shape.groups) }),
  addInputs: (subject, a, weights, sink) => sink.gram(subject.layer, 'input', inputRows(subject, a, weights)),
  addGradients: ({ layer, weightSharing }, { gradients }, sink) =>
    sink.gram(layer, 'gradient', gradientRows(gradients(), weightSharing === 'expand')),
  closedForm: closedFactor(inputSum),
  operations: (shape, cost) =>
    (cost.reduce ? 1 : cost.positions) * gramOperations(shape, shape.n) + outputOperations(shape, cost),
  cubes: ({ n, m }) => n ** 3 + m ** 3,
  factorRows: ({ n, m }) => Math.max(n, m),
  words: () => 'two factors',
} as const satisfies SummedStructure<Readonly<Record<'input' | 'gradient', SumShape>>>;
