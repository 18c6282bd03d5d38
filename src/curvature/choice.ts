/**
 * Which structure a block is kept in: the finest that the kind of its layer, its size and the estimator allow.
 *
 * A layer whose factors would be too large is an error, stays at its MAP, or gives way to a coarser structure (`unsupported`): first the
 * input factor becomes its diagonal, which is enough where the layer has many inputs; then the whole block does.
 */
import { either as E, function as F } from 'fp-ts';
import type { LayerSelection } from '../codec/layers.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Block } from '../network/blocks.js';
import type { LinearMap } from '../network/linear/index.js';
import { type Network, withBlocks } from '../network/network.js';
import { type Curvature, policyOf } from './codec.js';
import { type Structure, structureNamed } from './structure/index.js';

/** A factor with more rows than this is too large: 0.5 GiB of float64, and an eigendecomposition of minutes. */
export const LARGEST_FACTOR = 8192;

/** The structures that a block can have by the inputs of its layer, the finest first. */
const RUNGS: Readonly<Record<LinearMap['inputs'], readonly [Structure, ...Structure[]]>> = {
  rows: ['kronecker', 'inputDiagonal', 'diagonal'],
  tokens: ['embedding', 'diagonal'],
  features: ['diagonal'],
};

/** What an estimator makes of the rungs. */
interface EstimatorRule {
  /** Whether a block whose finest structure is too large is a case for the policy. */
  readonly sized: boolean;
  /** The structure of a block whose rung is this. */
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

/** The finest structure of a block that is small enough; the coarsest, where none is. */
export function rungOf(block: Block): Structure {
  const rungs = RUNGS[block.map.inputs];
  return rungs.find((rung) => fits(rung, block)) ?? (rungs.at(-1) as Structure);
}

/** The structure of a block under an estimator. */
export const structureOf = (block: Block, { _tag }: Pick<Curvature, '_tag'>): Structure => ESTIMATORS[_tag].keep(rungOf(block));

/** Whether the finest structure of a block would be too large for an estimator. */
export const tooLarge = (block: Block, { _tag }: Pick<Curvature, '_tag'>): boolean =>
  ESTIMATORS[_tag].sized && !fits(RUNGS[block.map.inputs][0], block);

/** The network with blocks for the layers that an estimator covers, by its policy. */
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

/** The same without an error for layers that are not linear in their weights, or too large: for a look beforehand. */
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
