/** The basis in which `ekfac` sums: the eigenvectors of a posterior. */
import { either as E } from 'fp-ts';
import { rungOf } from '../curvature/choice.js';
import type { EigenBasis, Layout, Rotation } from '../curvature/layout.js';
import { structureNamed } from '../curvature/structure/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Block } from '../network/blocks.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Matrix } from '../types.js';

/** The eigenvectors of each layer, and a name that tells this basis from the bases of other posteriors. */
export function eigenBasis({ layers, fingerprint }: Posterior): EigenBasis {
  const bases = layers.map(({ name, parts }): readonly [string, Rotation] => [name, rotationOf(parts)]);
  const sums = bases.flatMap(([, { input, gradient }]) => [weighed(input), weighed(gradient)]);
  return { id: `${fingerprint}:${sums.map((v) => v.toPrecision(17)).join(',')}`, layers: new Map(bases) };
}

/** Whether `ekfac` rotates the input side of a block. It needs no eigenvectors there if the input factor is diagonal. */
export const rotatesInputs = (block: Block): boolean => structureNamed(rungOf(block)).sums(block).input?.cols !== 1;

/** Returns the basis, or `Mismatch` if it has no eigenvectors for a layer that `ekfac` sums, or some of another size. */
export function checkBasis(
  { layers }: Layout,
  blocks: ReadonlyArray<Block>,
  basis: EigenBasis,
): E.Either<LaplaceError, EigenBasis> {
  for (const [i, { name, structure, groups, n, m }] of layers.entries()) {
    if (structureNamed(structure).rotated !== true) continue;
    const own = basis.layers.get(name);
    const input = !rotatesInputs(blocks[i] as Block) || fits(own?.input, groups, n);
    if (input && fits(own?.gradient, groups, m)) continue;
    return E.left(
      laplaceError('Mismatch', {
        what: `The basis has no eigenvectors for layer '${name}'`,
        layer: name,
        field: 'basis',
        found: own === undefined ? 'no such layer' : 'no eigenvectors, or some of another size',
        expected: `${groups === 1 ? '' : `${groups} times `}${n} and ${m} eigenvectors`,
        remedy: 'Give a posterior of Kronecker factors (kfac) of the same model that covers the same layers.',
      }),
    );
  }
  return E.right(basis);
}

/** The directions of a layer's two sides. */
const rotationOf = (parts: { readonly inputVectors?: Matrix; readonly gradientVectors?: Matrix }): Rotation => ({
  ...(parts.inputVectors && { input: parts.inputVectors }),
  ...(parts.gradientVectors && { gradient: parts.gradientVectors }),
});

const fits = (matrix: Matrix | undefined, groups: number, d: number): boolean =>
  matrix !== undefined && matrix.rows === groups * d && matrix.cols === d;

/** A weighted sum of a matrix's entries, which two different matrices share only by chance. */
const weighed = (matrix: Matrix | undefined): number =>
  matrix === undefined ? 0 : matrix.data.reduce((sum, v, i) => sum + v * Math.cos(i + 1), 0);
