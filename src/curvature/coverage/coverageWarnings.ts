/** What to know of a coverage before a pass is started, each with what to do. */
import { either as E } from 'fp-ts';
import { CHUNK, LARGE_SUMS, LARGEST_FACTOR } from '../../limits.js';
import { allBlocks, type Block, tooLarge, trainableLayers } from '../../network/blocks.js';
import { type Network, withBlocks } from '../../network/network.js';
import { type Curvature, fisherOf, policyOf } from '../codec.js';

/** The warnings of a coverage. `bytes`: the size of the sums; `columns`: whether the estimator takes the columns of Λ. */
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

/** Blocks whose factors would be too large, where the estimator has factors. */
function largeBlocks(network: Network, curvature: Curvature): ReadonlyArray<string> {
  // Under diagonal() a block like any other, unless it is left out; lowRank() has no such factor.
  if (curvature._tag === 'lowRank' || (curvature._tag === 'diagonal' && policyOf(curvature) === 'diagonal')) return [];
  const fate = { error: 'is refused', map: 'stays at its MAP', diagonal: 'gets a diagonal block' }[curvature.unsupported];
  const last = ({ m }: Block): string => (m > LARGEST_FACTOR ? ', with lowRank() for so many outputs' : '');
  return chosenBlocks(network, curvature)
    .filter(tooLarge)
    .map(
      (block) =>
        `'${block.name}' ${fate}: its factors would have ${block.n} and ${block.m} rows. Keep a diagonal (unsupported: 'diagonal'), leave it out ('map'), or cover layers: 'last'${last(block)}.`,
    );
}

/** The blocks that were asked for, as they are without any policy. */
function chosenBlocks(network: Network, { layers }: Curvature): ReadonlyArray<Block> {
  const all = allBlocks(network.ops);
  if (layers === 'all') return all.filter((block) => trainableLayers(network).includes(block.layer));
  const chosen = withBlocks(network, layers, 'diagonal');
  return E.isLeft(chosen) ? [] : all.filter(({ name }) => chosen.right.blocks.some((block) => block.name === name));
}

/** Warns where the columns of one example's Λ are larger than any chunk of a whole batch. */
function columnsTooMany({ outputs: C, blocks }: Network, curvature: Curvature): ReadonlyArray<string> {
  const fisher = fisherOf(curvature);
  const all = fisher === undefined || fisher._tag === 'exact' || fisher._tag === 'truncated';
  if (!all || blocks.length === 0 || C * C <= CHUNK) return [];
  const few = curvature._tag === 'kfra' ? "kfac({ fisher: 'monteCarlo' })" : "fisher: 'monteCarlo' or 'empirical'";
  return [
    `${C} outputs: the columns of one example's output Hessian take ${gib(4 * C * C)} GiB. Use ${few}, or cover layers: 'last', which needs none.`,
  ];
}

const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
