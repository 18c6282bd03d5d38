/** The basis in which `ekfac` sums: the eigenvectors of a posterior. */
import type { EigenBasis, Rotation } from '../curvature/layout.js';
import type { Matrix } from '../types.js';
import type { Posterior } from './posterior.js';

/** The eigenvectors of each layer, and a name that tells this basis from the bases of other posteriors. */
export function eigenBasis({ layers, fingerprint }: Posterior): EigenBasis {
  const bases = layers.map(({ name, parts }): readonly [string, Rotation] => [name, rotationOf(parts)]);
  const sums = bases.flatMap(([, { input, gradient }]) => [weighed(input), weighed(gradient)]);
  return { id: `${fingerprint}:${sums.map((v) => v.toPrecision(17)).join(',')}`, layers: new Map(bases) };
}

/** The directions of a layer's two sides. */
const rotationOf = (parts: { readonly inputVectors?: Matrix; readonly gradientVectors?: Matrix }): Rotation => ({
  ...(parts.inputVectors && { input: parts.inputVectors }),
  ...(parts.gradientVectors && { gradient: parts.gradientVectors }),
});

/** A weighted sum of a matrix's entries, which two different matrices share only by chance. */
const weighed = (matrix: Matrix | undefined): number =>
  matrix === undefined ? 0 : matrix.data.reduce((sum, v, i) => sum + v * Math.cos(i + 1), 0);
