/** The eigenvectors of a posterior as the basis in which `ekfac` sums. */
import { either as E } from 'fp-ts';
import type { EigenBasis, Layout } from '../curvature/layout.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Block } from '../network/blocks.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Matrix } from '../types.js';

/** The basis in which `ekfac` sums, by layer name, and what tells it from others. */
export interface GivenBasis {
  readonly id: string;
  readonly layers: ReadonlyMap<string, EigenBasis>;
}

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

/** Fails where a layer would be summed in a basis that it lacks, or in one of another size. */
export function checkBasis(
  { layers }: Layout,
  blocks: ReadonlyArray<Block>,
  basis: GivenBasis,
): E.Either<LaplaceError, GivenBasis> {
  for (const [i, { name, structure, groups, n, m }] of layers.entries()) {
    if (structure !== 'eigen') continue;
    const own = basis.layers.get(name);
    // Tokens are counted, not rotated.
    const input = blocks[i]?.structure === 'embedding' || fits(own?.input, groups, n);
    if (input && fits(own?.gradient, groups, m)) continue;
    return E.left(
      laplaceError('Mismatch', {
        what: `The basis has no eigenvectors for layer '${name}'`,
        layer: name,
        field: 'basis',
        found: own === undefined ? 'no such layer' : 'none, or some of another size',
        expected: `${groups === 1 ? '' : `${groups} times `}${n} and ${m} of them`,
        remedy: 'Give a posterior of Kronecker factors (kfac) of the same model that covers the same layers.',
      }),
    );
  }
  return E.right(basis);
}

const fits = (matrix: Matrix | undefined, groups: number, d: number): boolean =>
  matrix !== undefined && matrix.rows === groups * d && matrix.cols === d;

/** A number that another matrix has by chance alone: a weighted sum of its entries. */
const weighed = (matrix: Matrix | undefined): number =>
  matrix === undefined ? 0 : matrix.data.reduce((sum, v, i) => sum + v * Math.cos(i + 1), 0);
