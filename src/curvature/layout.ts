/**
 * What is summed for each layer: its structure and the shapes of its sums. The sums of one layer are numbered as in `sumsOf`.
 *
 *   kronecker  Σ a aᵀ [P·n, n] and Σ g gᵀ [P·m, m], over positions as weight sharing says
 *   embedding  Σ counts of tokens [n, 1] (the diagonal of Σ a aᵀ) and Σ g gᵀ
 *   diagonal   Σ Ĝ ⊙ Ĝ [P·n, m] over the gradients Ĝ = Σ_t a_t g_tᵀ of examples
 *   eigen      the same of U_Aᵀ Ĝ U_G, in a basis that is given (EKFAC)
 *   full       Σ ĝ ĝᵀ [P, P] over the gradients of all covered weights, laid end to end
 *   lowRank    Σ a aᵀ, the diagonal of Σ Λ [m, 1], and where outputs depend on each other Σ Λ Ω [m, l] (`sketch.ts`)
 */
import type { Likelihood } from '../likelihood/codec.js';
import type { Block } from '../network/blocks.js';
import type { Network } from '../network/network.js';
import type { Matrix } from '../types.js';
import type { Curvature, Fisher } from './codec.js';
import { type Sketch, sketchOf } from './structure/sketch.js';

/** How the curvature of a layer is kept. */
export type Structure = 'kronecker' | 'embedding' | 'diagonal' | 'eigen' | 'full' | 'lowRank';

/** What the sums of one layer belong to. */
export interface LayerLayout {
  readonly name: string;
  readonly structure: Structure;
  /** P: groups with a block of their own each (channels of a depthwise convolution); 1 otherwise. */
  readonly groups: number;
  /** Rows of W in a group: inputs, bias included. */
  readonly n: number;
  /** Columns of W: outputs. */
  readonly m: number;
  readonly bias: boolean;
  /**
   * T, where every example has as many positions and each is a row of the input sum (`expand`): A is the mean over them. Absent
   * where there is one, and where their number depends on the data: then each batch's rows are weighed by 1/T beforehand.
   */
  readonly positions?: number;
  /** Of `lowRank`: how G is sketched; absent where it is a diagonal. */
  readonly sketch?: Sketch;
  /** Of `full`: the names of the layers whose weights, row by row, make up the one column. */
  readonly members?: ReadonlyArray<string>;
}

/** What a set of factors describes. Factors of different layouts never mix. */
export interface Layout {
  readonly estimator: Curvature['_tag'];
  /** The kind of its Fisher matrix. Absent for `kfra` and `lowRank`. */
  readonly fisher?: Fisher['_tag'];
  readonly likelihood: Likelihood;
  readonly layers: ReadonlyArray<LayerLayout>;
  /** Names of the layers that a posterior covers unless told otherwise: `kfra` gathers sums of layers above them too. */
  readonly covered: ReadonlyArray<string>;
  /** Of `ekfac`: tells the bases apart in which sums were taken. */
  readonly basis?: string;
}

/** Orthonormal columns on both sides of W, [P·n, n] and [P·m, m]; a side without is the identity. */
export interface EigenBasis {
  readonly input?: Matrix;
  readonly gradient?: Matrix;
}

/** One sum: a Gram matrix of rows in groups, or a plain array, as [rows, cols]. */
export interface SumShape {
  readonly rows: number;
  readonly cols: number;
}

/** The sums of a layer, in their order. */
export function sumsOf({ structure, groups, n, m, sketch }: LayerLayout): ReadonlyArray<SumShape> {
  const gram = (d: number): SumShape => ({ rows: groups * d, cols: d });
  switch (structure) {
    case 'kronecker':
      return [gram(n), gram(m)];
    case 'embedding':
      return [{ rows: n, cols: 1 }, gram(m)];
    case 'diagonal':
    case 'eigen':
      return [{ rows: groups * n, cols: m }];
    case 'full':
      return [gram(n)];
    case 'lowRank':
      return [gram(n), { rows: m, cols: 1 }, ...(sketch === undefined ? [] : [{ rows: m, cols: sketch.columns }])];
  }
}

/** The name of the one layer of a `full` layout. */
const FULL_LAYER = 'all covered layers';

/** What of a network says how it is summed. */
type Summed = Pick<Network, 'blocks' | 'likelihoodOps'>;

/** Weights of a block. */
export const sizeOf = ({ groups, n, m }: Pick<Block, 'groups' | 'n' | 'm'>): number => groups * n * m;

/** The layers that an estimator sums for the network's blocks. */
export function layersOf({ blocks, likelihoodOps }: Summed, curvature: Curvature): ReadonlyArray<LayerLayout> {
  if (curvature._tag === 'full') {
    const n = blocks.reduce((sum, block) => sum + sizeOf(block), 0);
    const members = blocks.map(({ name }) => name);
    return [{ name: FULL_LAYER, structure: 'full', groups: 1, n, m: 1, bias: false, members }];
  }
  return blocks.map((block) => {
    const { name, groups, n, m, bias, structure } = block;
    if (curvature._tag === 'lowRank') {
      const sketch = likelihoodOps.hessian?.independent === true ? {} : { sketch: sketchOf(m, curvature) };
      return { name, structure: 'lowRank', groups, n, m, bias, ...sketch };
    }
    const own = curvature._tag === 'diagonal' || structure === 'diagonal' ? 'diagonal' : structure;
    const kept: Structure = curvature._tag === 'ekfac' && own !== 'diagonal' ? 'eigen' : own;
    const expanded = kept === 'kronecker' && !('weightSharing' in curvature && curvature.weightSharing === 'reduce');
    const positions = expanded ? positionsOf(block) : 1;
    return { name, structure: kept, groups, n, m, bias, ...(positions > 1 ? { positions } : {}) };
  });
}

/** Positions of one example over all uses of a block; 1 where their number depends on the data. */
const positionsOf = ({ ops }: Block): number =>
  ops.every((op) => op.map.positions !== undefined) ? ops.reduce((T, op) => T + (op.map.positions as number), 0) : 1;

/** Weights of the layout's layers from those of the blocks: `full` lays them end to end in one column. */
export function weightsOf({ layers }: Layout, blocks: ReadonlyArray<Matrix>): ReadonlyArray<Matrix> {
  const [first] = layers;
  if (first?.structure !== 'full') return blocks;
  const data = new Float64Array(first.n);
  let offset = 0;
  for (const block of blocks) {
    data.set(block.data, offset);
    offset += block.data.length;
  }
  return [{ rows: first.n, cols: 1, data }];
}
