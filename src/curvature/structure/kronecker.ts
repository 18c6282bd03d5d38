/**
 * Two factors: the sums Σ a aᵀ [P·n, n] and Σ g gᵀ [P·m, m] over examples. `inputs.ts` tells how positions enter. With the means
 * A and G of these sums, the curvature of a layer is N (A ⊗ G). Martens & Grosse 2015; Grosse & Martens 2016 for convolutions.
 */
import type { HessianOps } from '../../likelihood/hessian.js';
import { gramProducts } from '../../network/matmul.js';
import type { Matrix } from '../../types.js';
import { gradientRows, inputRows, positionsOf } from './inputs.js';
import { type ClosedForm, gram, type LayerShape, type SumCost, type SummedStructure, type SumShape } from './structure.js';

/** Multiplications that one row of d numbers adds to Σ r rᵀ, for each of the P groups. */
export const gramOperations = ({ groups }: LayerShape, d: number): number => (groups === 1 ? gramProducts(d) : d * d);

/** Multiplications for the output factor of one example. A closed form adds a whole matrix Λ, m² numbers. */
export const outputOperations = (shape: LayerShape, { positions, rows, reduce, closed }: SumCost): number =>
  rows * (reduce ? 1 : positions) * (closed ? shape.m ** 2 : gramOperations(shape, shape.m));

/** Adds Σ g gᵀ for one stack of rows. */
export const addOutputFactor: NonNullable<SummedStructure<object>['addGradients']> = (
  { layer, weightSharing },
  { gradients },
  sink,
) => sink.gram(layer, 'gradient', gradientRows(gradients(), weightSharing === 'expand'));

/**
 * The closed form of a last layer sums Λ instead of g gᵀ, because the pre-activation of that layer is f itself. `input` is the
 * shape of the input's sum.
 */
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
  addGradients: addOutputFactor,
  closedForm: closedFactor(inputSum),
  operations: (shape, cost) =>
    (cost.reduce ? 1 : cost.positions) * gramOperations(shape, shape.n) + outputOperations(shape, cost),
  cubes: ({ n, m }) => n ** 3 + m ** 3,
  factorRows: ({ n, m }) => Math.max(n, m),
  words: () => 'two factors',
} as const satisfies SummedStructure<Readonly<Record<'input' | 'gradient', SumShape>>>;
