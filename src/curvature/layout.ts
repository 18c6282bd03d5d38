/**
 * The layout of a set of factors: the estimator, the likelihood, and for each layer its structure and the shapes of its sums.
 * Factors of different layouts cannot be merged.
 */
import type { Likelihood } from '../likelihood/index.js';
import { architectureOf } from '../network/architecture.js';
import type { Block } from '../network/blocks.js';
import type { Network } from '../network/network.js';
import type { Matrix } from '../types.js';
import { structureOf } from './choice.js';
import { type Curvature, type Estimator, estimatorOf } from './codec.js';
import { type Difference, firstDifference } from './difference.js';
import { type Structure, structureNamed } from './structure/index.js';
import { sketchOf } from './structure/sketch.js';
import type { LayerShape } from './structure/structure.js';

/** The layer that one set of sums belongs to. */
export interface LayerLayout extends LayerShape {
  readonly name: string;
  readonly structure: Structure;
  /**
   * The names of the blocks whose weights the layer holds: only `name`, or for `full` all covered blocks, row by row in one
   * column.
   */
  readonly members: ReadonlyArray<string>;
  readonly bias: boolean;
}

/** The layout of a set of factors. */
export interface Layout {
  /** The estimator with its options. Options that only choose layers or random numbers are left out. */
  readonly estimator: Estimator;
  readonly likelihood: Likelihood;
  readonly layers: ReadonlyArray<LayerLayout>;
  /**
   * The names of the layers that a posterior covers by default. `kfra` also sums layers above the covered ones, for its
   * recursion.
   */
  readonly covered: ReadonlyArray<string>;
  /** C, the number of outputs f of an example: all heads and all steps together. */
  readonly outputs: number;
  /** Identifies what the model computes with its weights (`architectureOf`). Absent in factors of another maker. */
  readonly architecture?: string | undefined;
  /** The number of outputs whose shares are kept (`noise: 'perOutput'`): those of a step, for a sequence; absent if none is. */
  readonly shares?: number | undefined;
  /** A name for the rotations in which `ekfac` sums, which tells them from other rotations; absent for other estimators. */
  readonly basis?: string | undefined;
}

/**
 * Orthonormal columns for the two sides of W: `input` [P·n, n] and `gradient` [P·m, m]. An absent side stands for the identity.
 */
export interface Rotation {
  readonly input?: Matrix;
  readonly gradient?: Matrix;
}

/** The rotations in which `ekfac` sums, and a name that tells them from other rotations. */
export interface EigenBasis {
  readonly id: string;
  /** The rotation of each layer, by the layer's name. */
  readonly layers: ReadonlyMap<string, Rotation>;
}

/** The layer's name in a layout whose structure takes all covered weights together: such a layout has one layer. */
const WHOLE_NETWORK = 'all covered layers';

/** The first difference of two layouts. A layout without an architecture is one of another maker, and fits any. */
export function layoutDifference(a: Layout, b: Layout): Difference | undefined {
  const isKnown = a.architecture !== undefined && b.architecture !== undefined;
  const compared = (layout: Layout): Layout => (isKnown ? layout : { ...layout, architecture: undefined });
  return firstDifference(compared(a), compared(b));
}

/** The parts of a network that decide how its curvature is summed. */
type Summed = Pick<Network, 'blocks' | 'likelihoodOps'>;

/** The number of weights of a block. */
export const sizeOf = ({ groups, n, m }: Pick<Block, 'groups' | 'n' | 'm'>): number => groups * n * m;

/** The layers of the layout that an estimator makes for the network's blocks. */
export function layersOf({ blocks, likelihoodOps }: Summed, curvature: Curvature): ReadonlyArray<LayerLayout> {
  const structures = blocks.map((block) => structureOf(block, curvature));
  const whole = structures.find((structure) => structureNamed(structure).scope === 'network');
  if (whole !== undefined) {
    const n = blocks.reduce((sum, block) => sum + sizeOf(block), 0);
    const members = blocks.map(({ name }) => name);
    return [{ name: WHOLE_NETWORK, structure: whole, members, groups: 1, n, m: 1, bias: false }];
  }
  return blocks.map((block, i): LayerLayout => {
    const { name, groups, n, m, bias } = block;
    const structure = structures[i] as Structure;
    const positions = isReduced(curvature) ? 1 : positionsOf(block);
    const divided = Object.values(structureNamed(structure).sums({ groups, n, m, positions })).some((sum) => sum.divisor);
    const sketched = curvature._tag === 'lowRank' && likelihoodOps.hessian?.independent !== true;
    return {
      name,
      structure,
      members: [name],
      groups,
      n,
      m,
      bias,
      ...(divided ? { positions } : {}),
      ...(sketched ? { sketch: sketchOf(m, curvature) } : {}),
    };
  });
}

/** Whether the positions of a shared weight are summed before they enter the factors. */
export const isReduced = (curvature: Curvature): boolean => 'weightSharing' in curvature && curvature.weightSharing === 'reduce';

/** The positions of one example, added over all uses of a block; 1 if their number depends on the data. */
const positionsOf = ({ ops }: Block): number =>
  ops.every((op) => op.map.positions !== undefined) ? ops.reduce((T, op) => T + (op.map.positions as number), 0) : 1;

/**
 * The layout of an estimator's factors.
 *
 * @param gathered the network with a block for each layer that is summed
 * @param chosen the network with a block for each covered layer; `kfra` sums further layers beside them
 */
export const layoutOf = (
  gathered: Network,
  chosen: Network,
  curvature: Curvature,
  { basis, shares }: Pick<Layout, 'basis' | 'shares'>,
): Layout => {
  const layers = layersOf(gathered, curvature);
  const covers = ({ members }: LayerLayout): boolean =>
    members.every((name) => chosen.blocks.some((block) => block.name === name));
  return {
    estimator: estimatorOf(curvature),
    likelihood: gathered.likelihood,
    layers,
    covered: layers.filter(covers).map(({ name }) => name),
    outputs: gathered.outputs,
    architecture: architectureOf(chosen),
    ...(shares === undefined ? {} : { shares }),
    ...(basis === undefined ? {} : { basis }),
  };
};

/**
 * The weights of the layout's layers.
 *
 * @param blocks the weights of each block [P·n, m], in the order of the network
 * @returns W [P·n, m] for each layer; the weights of several members are laid end to end in one column
 */
export function weightsOf({ layers }: Layout, blocks: ReadonlyArray<Matrix>): ReadonlyArray<Matrix> {
  let next = 0;
  return layers.map(({ members, groups, n, m }) => {
    const own = blocks.slice(next, next + members.length);
    next += members.length;
    if (own.length === 1 && m > 1) return own[0] as Matrix;
    const data = new Float64Array(groups * n * m);
    own.reduce((offset, block) => {
      data.set(block.data, offset);
      return offset + block.data.length;
    }, 0);
    return { rows: groups * n, cols: m, data };
  });
}
