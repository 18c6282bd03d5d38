/**
 * Two sides whose curvature is a product: along direction (i, j) it is N α_i γ_j, with α and γ the eigenvalues of A and G. For
 * Kronecker blocks, and for blocks whose input factor is a diagonal (counts of tokens, or the squares of inputs): there the directions
 * of the inputs are the identity.
 */
import { either as E, function as F } from 'fp-ts';
import type { LayerMoments } from '../../curvature/means.js';
import { partsOf } from '../../curvature/structure/index.js';
import type { Matrix } from '../../types.js';
import { dampingNamed } from '../damping.js';
import { ofValues, sumOf } from '../determinant.js';
import { groupsOf, type Side, sideOf } from './sides.js';
import type { Planned, PosteriorStructure } from './structure.js';

/** Both sides. */
export interface ProductParts {
  /** α >= 0, [P·n, 1]. */
  readonly inputValues: Matrix;
  /** U_A [P·n, n]; without it the identity. */
  readonly inputVectors?: Matrix;
  /** γ >= 0, [P·m, 1]. */
  readonly gradientValues: Matrix;
  /** U_G [P·m, m]; without it the identity. */
  readonly gradientVectors?: Matrix;
}

/** The parts of two sides. */
const productParts = (input: Side, gradient: Side): ProductParts => ({
  inputValues: input.values,
  ...(input.vectors && { inputVectors: input.vectors }),
  gradientValues: gradient.values,
  ...(gradient.vectors && { gradientVectors: gradient.vectors }),
});

/** Both factors are decomposed. */
const planFactors = (moments: LayerMoments): Planned<ProductParts> => {
  const { name } = moments.layout;
  const { input, gradient } = partsOf(moments) as { input: Matrix; gradient: Matrix };
  const left = groupsOf(input);
  return {
    asks: [...left, ...groupsOf(gradient)],
    build: (answers) =>
      F.pipe(
        E.Do,
        E.bind('own', () => sideOf(name, 'input', answers.slice(0, left.length))),
        E.bind('other', () => sideOf(name, 'gradient', answers.slice(left.length))),
        E.map(({ own, other }) => productParts(own, other)),
      ),
  };
};

/** The gradient's factor alone is decomposed: the input's is the diagonal that it is. */
const planInputDiagonal = (moments: LayerMoments): Planned<ProductParts> => {
  const { input, gradient } = partsOf(moments) as { input: Matrix; gradient: Matrix };
  return {
    asks: groupsOf(gradient),
    build: (answers) =>
      F.pipe(
        sideOf(moments.layout.name, 'gradient', answers),
        E.map((side) => productParts({ values: input }, side)),
      ),
  };
};

/** Everything but the plan. */
const product: Omit<PosteriorStructure<ProductParts>, 'plan'> = {
  determinant: ({ groups, n, m, parts }, { damping, datasetSize: N }) => {
    const { inputValues, gradientValues } = parts;
    return sumOf(
      Array.from({ length: groups }, (_, p) =>
        dampingNamed(damping).determinant({
          N,
          rows: inputValues.data.subarray(p * n, (p + 1) * n),
          columns: ofValues(gradientValues.data.subarray(p * m, (p + 1) * m)),
          width: m,
        }),
      ),
    );
  },
  precisions: ({ parts, priorPrecision }, { damping, datasetSize: N }) => {
    const { scale, shift } = dampingNamed(damping).rows(N, priorPrecision, parts.inputValues.data);
    return { _tag: 'rows', scale, gradient: parts.gradientValues.data, shift };
  },
};

export const factors: PosteriorStructure<ProductParts> = { plan: planFactors, ...product };

export const inputDiagonal: PosteriorStructure<ProductParts> = { plan: planInputDiagonal, ...product };

/** All weights in one column: the Fisher's own eigenvectors, and a gradient's side of one number, 1. */
export const full: PosteriorStructure<ProductParts> = {
  ...product,
  plan: (moments) => {
    const { gradient } = partsOf(moments) as { gradient: Matrix };
    return {
      asks: [gradient],
      build: (answers) =>
        F.pipe(
          sideOf(moments.layout.name, 'gradient', answers),
          E.map((side) => productParts(side, { values: { rows: 1, cols: 1, data: Float64Array.of(1) } })),
        ),
    };
  },
};
