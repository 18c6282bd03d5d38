/** Whether a basis has the eigenvectors that `ekfac` needs. */
import { either as E } from 'fp-ts';
import { rungOf } from '../curvature/choice.js';
import type { EigenBasis, Layout } from '../curvature/layout.js';
import { structureNamed } from '../curvature/structure/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Block } from '../network/blocks.js';
import type { Matrix } from '../types.js';

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

const fits = (matrix: Matrix | undefined, groups: number, d: number): boolean =>
  matrix !== undefined && matrix.rows === groups * d && matrix.cols === d;
