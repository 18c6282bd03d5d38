/**
 * The posterior side of each structure. A new structure is one line below. It needs a file only if it has a form that no other
 * structure has.
 */
import type { Structure } from '../../curvature/structure/index.js';
import { laplaceError } from '../../errors.js';
import { lowRank } from './lowRank.js';
import { factors, full, inputDiagonal } from './product.js';
import type { PosteriorStructure } from './structure.js';
import { diagonal, eigen } from './table.js';

const STRUCTURES = {
  kronecker: factors,
  embedding: inputDiagonal,
  inputDiagonal,
  diagonal,
  eigen,
  full,
  lowRank,
} as const satisfies Readonly<Record<Structure, unknown>>;

/** The named matrices that a layer of the posterior keeps. The structure's file states their shapes. */
export type PosteriorParts<S extends Structure> = (typeof STRUCTURES)[S] extends PosteriorStructure<infer Parts> ? Parts : never;

/** A structure and a layer's matrices in that structure. */
export type Distributed = {
  readonly [S in Structure]: { readonly structure: S; readonly parts: PosteriorParts<S> };
}[Structure];

type AnyStructure = PosteriorStructure<Distributed['parts']>;

/**
 * The posterior side of a layer's structure.
 *
 * @throws LaplaceError `UnsupportedLayer` for a structure that only another version of the library knows
 */
export function posteriorStructure({ name, structure }: { readonly name: string; readonly structure: Structure }): AnyStructure {
  if (Object.hasOwn(STRUCTURES, structure)) return STRUCTURES[structure] as unknown as AnyStructure;
  throw laplaceError('UnsupportedLayer', {
    what: `Layer '${name}' has an unknown curvature structure`,
    layer: name,
    field: 'structure',
    found: `'${structure}'`,
    expected: `one of ${Object.keys(STRUCTURES).join(', ')}`,
    remedy: 'Use the version of the library that made the posterior, or make the posterior again.',
  });
}
