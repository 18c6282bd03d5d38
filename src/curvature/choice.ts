/**
 * Chooses the structure of each block: the finest one that the kind of its layer, its size and the estimator allow.
 *
 * The option `unsupported` decides about a layer whose factors would be too large: it is an error, stays at its MAP, or gets a
 * coarser structure. The first coarser structure replaces the input factor by its diagonal, which is enough if only the inputs
 * are many. The next one keeps a diagonal for the whole block.
 */
import { either as E, function as F } from 'fp-ts';
import type { LayerSelection } from '../codec/layers.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { LARGEST_FACTOR } from '../limits.js';
import type { Block } from '../network/blocks.js';
import type { LinearMap } from '../network/linear/index.js';
import { type Network, withBlocks } from '../network/network.js';
import { type Curvature, policyOf } from './codec.js';
import { type Structure, structureNamed } from './structure/index.js';

/** The structures that a block can have, finest first. They depend on what kind of inputs the layer takes. */
const RUNGS: Readonly<Record<LinearMap['inputs'], readonly [Structure, ...Structure[]]>> = {
  rows: ['kronecker', 'inputDiagonal', 'diagonal'],
  tokens: ['embedding', 'diagonal'],
  features: ['diagonal'],
};

/** How an estimator uses the structures in `RUNGS`. */
interface EstimatorRule {
  /** Whether the estimator applies `unsupported` to a block whose finest structure is too large. */
  readonly sized: boolean;
  /**
   * The structure that the estimator keeps for a block. `rung` is the finest structure in `RUNGS` that is small enough for the
   * block.
   */
  readonly keep: (rung: Structure) => Structure;
}

const ESTIMATORS: Readonly<Record<Curvature['_tag'], EstimatorRule>> = {
  kfac: { sized: true, keep: F.identity },
  kfra: { sized: true, keep: F.identity },
  ekfac: { sized: true, keep: (rung) => (rung === 'diagonal' ? rung : 'eigen') },
  diagonal: { sized: false, keep: () => 'diagonal' },
  full: { sized: true, keep: () => 'full' },
  lowRank: { sized: false, keep: () => 'lowRank' },
};

const fits = (structure: Structure, block: Block): boolean => structureNamed(structure).factorRows(block) <= LARGEST_FACTOR;

/** The finest structure of a block that is small enough, or the coarsest if none is small enough. */
export function rungOf(block: Block): Structure {
  const rungs = RUNGS[block.map.inputs];
  return rungs.find((rung) => fits(rung, block)) ?? (rungs.at(-1) as Structure);
}

/** The structure of a block under an estimator. */
export const structureOf = (block: Block, { _tag }: Pick<Curvature, '_tag'>): Structure => ESTIMATORS[_tag].keep(rungOf(block));

/** The structures that the layers of an estimator can have. */
export const structuresOf = ({ _tag }: Pick<Curvature, '_tag'>): ReadonlySet<Structure> =>
  new Set(Object.values(RUNGS).flat().map(ESTIMATORS[_tag].keep));

/** Whether the finest structure of a block would be too large for an estimator. */
export const tooLarge = (block: Block, { _tag }: Pick<Curvature, '_tag'>): boolean =>
  ESTIMATORS[_tag].sized && !fits(RUNGS[block.map.inputs][0], block);

/**
 * The network with blocks for the layers that an estimator covers.
 *
 * @param layers the layers to cover, by default the curvature's own selection
 * @returns `UnsupportedLayer` for a layer that is not linear in its weights or too large, if `unsupported` is `'error'`
 */
export const coveredBy = (
  network: Network,
  curvature: Curvature,
  layers: LayerSelection = curvature.layers,
): E.Either<LaplaceError, Network> => {
  const policy = policyOf(curvature);
  return F.pipe(
    withBlocks(network, layers, policy === 'map' ? 'map' : 'error'),
    E.chain((chosen) => sized(chosen, curvature, policy)),
  );
};

/**
 * Like `coveredBy`, but layers that are not linear in their weights, or too large, cause no error. `coverage` uses it to describe
 * a model before a pass.
 */
export const coverable = (network: Network, curvature: Curvature): E.Either<LaplaceError, Network> => {
  const policy = policyOf(curvature) === 'diagonal' ? 'diagonal' : 'map';
  return F.pipe(
    withBlocks(network, curvature.layers, policy === 'map' ? 'map' : 'error'),
    E.chain((chosen) => sized(chosen, curvature, policy)),
  );
};

function sized(network: Network, curvature: Curvature, policy: 'error' | 'map' | 'diagonal'): E.Either<LaplaceError, Network> {
  const large = network.blocks.filter((block) => tooLarge(block, curvature));
  const [first] = large;
  if (first === undefined || policy === 'diagonal') return E.right(network);
  if (policy === 'map') return E.right({ ...network, blocks: network.blocks.filter((block) => !large.includes(block)) });
  return E.left(
    laplaceError('UnsupportedLayer', {
      what: `A curvature factor of layer '${first.name}' would be too large`,
      layer: first.name,
      found: `factors of ${first.n} and ${first.m} rows`,
      expected: `at most ${LARGEST_FACTOR}`,
      remedy:
        "Keep diagonals in their place (unsupported: 'diagonal'), leave the layer at its MAP ('map'), or cover layers: 'last'. For a last layer of very many outputs use lowRank().",
    }),
  );
}
