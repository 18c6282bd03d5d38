/** The eigenvectors of a posterior as the basis in which `ekfac` sums. */
import type { EigenBasis } from '../curvature/layout.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Matrix } from '../types.js';
import type { GivenBasis } from './accumulator.js';

/** The basis of each layer, and a name that tells it from the bases of other posteriors. */
export function basisOf({ layers, fingerprint }: Posterior): GivenBasis {
  const bases = layers.map(({ name, input, gradient }): readonly [string, EigenBasis] => [
    name,
    {
      ...(input.vectors && { input: input.vectors }),
      ...(gradient.vectors && { gradient: gradient.vectors }),
    },
  ]);
  const sums = bases.flatMap(([, { input, gradient }]) => [weighed(input), weighed(gradient)]);
  return { id: `${fingerprint}:${sums.map((v) => v.toPrecision(17)).join(',')}`, layers: new Map(bases) };
}

/** A number that another matrix has by chance alone: a weighted sum of its entries. */
const weighed = (matrix: Matrix | undefined): number =>
  matrix === undefined ? 0 : matrix.data.reduce((sum, v, i) => sum + v * Math.cos(i + 1), 0);
