/**
 * Structures whose curvature is a product of two sides: along direction (i, j) it is N α_i γ_j, where α and γ are the eigenvalues
 * of A and G. These are Kronecker blocks, and blocks whose input factor is diagonal (counts of tokens, or squares of inputs). For
 * a diagonal input factor the input directions are the identity.
 */
import { either as E, function as F } from 'fp-ts';
import type { LayerMoments } from '../../curvature/means.js';
import { partsOf } from '../../curvature/structure/index.js';
import { times } from '../../linalg/matrix.js';
import type { Matrix } from '../../types.js';
import { dampingNamed } from '../damping.js';
import { ofValues, sumOf } from '../determinant.js';
import { alongDirections, groupsOf, type Side, sideOf } from './sides.js';
import type { Planned, PosteriorStructure } from './structure.js';

/** The eigenvalues and eigenvectors of both sides. */
export interface ProductParts {
  /** α [P·n, 1], >= 0. */
  readonly inputValues: Matrix;
  /** U_A [P·n, n]; the identity if absent. */
  readonly inputVectors?: Matrix;
  /** γ [P·m, 1], >= 0. */
  readonly gradientValues: Matrix;
  /** U_G [P·m, m]; the identity if absent. */
  readonly gradientVectors?: Matrix;
}

/** Combines two sides into the parts of a layer. */
const productParts = (input: Side, gradient: Side): ProductParts => ({
  inputValues: input.values,
  ...(input.vectors && { inputVectors: input.vectors }),
  gradientValues: gradient.values,
  ...(gradient.vectors && { gradientVectors: gradient.vectors }),
});

/** The plan for two full factors: both are decomposed. */
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

/** The plan for a diagonal input factor: only the gradient factor is decomposed. */
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

/** Everything except the plan and the shapes. */
const product: Omit<PosteriorStructure<ProductParts>, 'plan' | 'shapes'> = {
  scaled: (parts, factor) => ({ ...parts, gradientValues: times(parts.gradientValues, factor) }),
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
  outputSide: {
    shape: ({ groups, m }) => ({ rows: groups * m, cols: m }),
    plan: ({ name, parts }, side) => ({
      asks: groupsOf(side),
      build: (answers) =>
        F.pipe(
          sideOf(name, 'gradient', answers),
          E.map(({ values, vectors }) => ({ ...parts, gradientValues: values, gradientVectors: vectors })),
        ),
    }),
    count: ({ groups, n, m, parts, priorPrecision }, { damping, datasetSize: N }, share) => {
      const { scale, shift } = dampingNamed(damping).rows(N, priorPrecision, parts.inputValues.data);
      const own = alongDirections(share, parts.gradientVectors);
      let sum = 0;
      for (let p = 0; p < groups; p++)
        sum += countOf(
          { scale: scale.subarray(p * n, (p + 1) * n), shift: shift.subarray(p * n, (p + 1) * n) },
          parts.gradientValues.data.subarray(p * m, (p + 1) * m),
          own.subarray(p * m, (p + 1) * m),
        );
      return sum;
    },
  },
};

/** Σ s_i d_j / (s_i γ_j + t_i) over rows i and columns j, for shares d of the values γ. */
function countOf(rows: Readonly<Record<'scale' | 'shift', Float64Array>>, values: Float64Array, shares: Float64Array): number {
  let sum = 0;
  rows.scale.forEach((scale, i) => {
    const shift = rows.shift[i] as number;
    for (let j = 0; j < values.length; j++) sum += (scale * (shares[j] as number)) / (scale * (values[j] as number) + shift);
  });
  return sum;
}

/** The eigenvalues of both sides, and the eigenvectors of the gradient side. */
const inputDiagonalShapes: PosteriorStructure<ProductParts>['shapes'] = ({ groups, n, m }) => ({
  inputValues: { rows: groups * n, cols: 1, isNonNegative: true },
  gradientValues: { rows: groups * m, cols: 1, isNonNegative: true },
  gradientVectors: { rows: groups * m, cols: m },
});

export const factors: PosteriorStructure<ProductParts> = {
  ...product,
  plan: planFactors,
  shapes: (size) => ({ ...inputDiagonalShapes(size), inputVectors: { rows: size.groups * size.n, cols: size.n } }),
};

export const inputDiagonal: PosteriorStructure<ProductParts> = {
  ...product,
  plan: planInputDiagonal,
  shapes: inputDiagonalShapes,
};

/**
 * All weights in one column. The input side is the eigendecomposition of the whole Fisher matrix, and the gradient side is the
 * number 1. What depends on the outputs is the input side here.
 */
export const full: PosteriorStructure<ProductParts> = {
  ...product,
  shapes: ({ n }) => ({
    inputValues: { rows: n, cols: 1, isNonNegative: true },
    inputVectors: { rows: n, cols: n },
    gradientValues: { rows: 1, cols: 1, isNonNegative: true },
  }),
  scaled: (parts, factor) => ({ ...parts, inputValues: times(parts.inputValues, factor) }),
  determinant: ({ n, parts }, { damping, datasetSize: N }) =>
    dampingNamed(damping).determinant({
      N,
      rows: parts.gradientValues.data,
      columns: ofValues(parts.inputValues.data),
      width: n,
    }),
  outputSide: {
    shape: ({ n }) => ({ rows: n, cols: n }),
    plan: ({ name, parts }, side) => ({
      asks: [side],
      build: (answers) =>
        F.pipe(
          sideOf(name, 'gradient', answers),
          E.map(({ values, vectors }) => ({ ...parts, inputValues: values, inputVectors: vectors })),
        ),
    }),
    count: ({ parts, priorPrecision }, { damping, datasetSize: N }, share) =>
      countOf(
        dampingNamed(damping).rows(N, priorPrecision, parts.gradientValues.data),
        parts.inputValues.data,
        alongDirections(share, parts.inputVectors),
      ),
  },
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
