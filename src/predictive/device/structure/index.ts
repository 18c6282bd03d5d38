/**
 * The device form of each structure. A new structure is one line below. It needs a file only if it has a form that no other
 * structure has.
 */
import type { Structure } from '../../../curvature/structure/index.js';
import type { PosteriorLayer } from '../../../posterior/posterior.js';
import { directional } from './directional.js';
import { lowRank } from './lowRank.js';
import type { DeviceStructure } from './structure.js';

const STRUCTURES: { readonly [S in Structure]: DeviceStructure<Extract<PosteriorLayer, { readonly structure: S }>> } = {
  kronecker: directional,
  embedding: directional,
  inputDiagonal: directional,
  diagonal: directional,
  eigen: directional,
  full: directional,
  lowRank,
};

/** The device form of a structure. */
export const deviceStructure = (structure: Structure): DeviceStructure<PosteriorLayer> =>
  STRUCTURES[structure] as DeviceStructure<PosteriorLayer>;
