/** The warnings of a coverage: problems that are known before a pass, each with a remedy. */
import { either as E } from 'fp-ts';
import { CHUNK, LARGE_SUMS, LARGEST_FACTOR } from '../../limits.js';
import { allBlocks, type Block, trainableLayers } from '../../network/blocks.js';
import { type Network, withBlocks } from '../../network/network.js';
import { structureOf, tooLarge } from '../choice.js';
import { type Curvature, fisherOf } from '../codec.js';
import { fisherRule } from '../fisher/index.js';
import { structureNamed } from '../structure/index.js';

/**
 * The warnings for an estimator on a network.
 *
 * @param bytes of the sums, on the host
 * @param columns whether the pass may make the columns of a root of Λ; it does not in closed form
 */
export const warningsOf = (network: Network, curvature: Curvature, bytes: number, columns: boolean): ReadonlyArray<string> => [
  ...(curvature.layers === 'all' ? notLinear(network, curvature) : []),
  ...largeBlocks(network, curvature),
  ...(bytes > LARGE_SUMS ? [`The sums take ${gib(bytes)} GiB. Cover fewer layers, or use diagonal().`] : []),
  ...(columns ? columnsTooMany(network, curvature) : []),
];

function notLinear(network: Network, curvature: Curvature): ReadonlyArray<string> {
  const known = allBlocks(network.ops);
  const fate = 'unsupported' in curvature && curvature.unsupported === 'map' ? 'stays at its MAP' : 'is refused';
  return trainableLayers(network)
    .filter((layer) => known.every((block) => block.layer !== layer))
    .map(
      (layer) =>
        `'${layer.name}' (${layer.getClassName()}) ${fate}: it is not linear in its weights. Leave it at its MAP (unsupported: 'map'), or cover layers: 'last'.`,
    );
}

/** Warnings for blocks whose factors would be too large. Estimators without factors have none. */
function largeBlocks(network: Network, curvature: Curvature): ReadonlyArray<string> {
  const fate = (block: Block): string => {
    if (!('unsupported' in curvature) || curvature.unsupported === 'error') return 'is refused';
    if (curvature.unsupported === 'map') return 'stays at its MAP';
    return `keeps ${structureNamed(structureOf(block, curvature)).words(block)}`;
  };
  const last = ({ m }: Block): string => (m > LARGEST_FACTOR ? ', with lowRank() for so many outputs' : '');
  return chosenBlocks(network, curvature)
    .filter((block) => tooLarge(block, curvature))
    .map(
      (block) =>
        `'${block.name}' ${fate(block)}: its factors would have ${block.n} and ${block.m} rows. Keep diagonals in their place (unsupported: 'diagonal'), leave it out ('map'), or cover layers: 'last'${last(block)}.`,
    );
}

/** The blocks that the curvature selects, before `unsupported` leaves any out. */
function chosenBlocks(network: Network, { layers }: Curvature): ReadonlyArray<Block> {
  const chosen = withBlocks(network, layers, 'map');
  return E.isLeft(chosen) ? [] : chosen.right.blocks;
}

/** A warning if the columns of a root of Λ for a single example exceed the most numbers that a pass otherwise makes at once. */
function columnsTooMany({ outputs: C, blocks }: Network, curvature: Curvature): ReadonlyArray<string> {
  const fisher = fisherOf(curvature);
  const all = fisher === undefined || fisherRule(fisher).isWhole;
  if (!all || blocks.length === 0 || C * C <= CHUNK) return [];
  const few = curvature._tag === 'kfra' ? "kfac({ fisher: 'monteCarlo' })" : "fisher: 'monteCarlo' or 'empirical'";
  return [
    `${C} outputs: the columns of one example's output Hessian take ${gib(4 * C * C)} GiB. Use ${few}, or cover layers: 'last', which needs none.`,
  ];
}

const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
