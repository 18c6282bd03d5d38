/**
 * What an estimator would cover of a model, and what that takes: known from shapes alone, before any pass over data.
 *
 * Operations count a multiplication and an addition as two. For a block of P groups with T positions an example and K rows sent back:
 * forward 2 P T n m, back 2 K P T n m (where a covered layer lies below); Kronecker sums 2 P T s(n) + 2 K P T s(m) with s(d) = d²
 * for small d and towards d²/2 for large (`gramProducts`), diagonal ones 2 K P T n m (2 P n m where T is 1), in a basis
 * 2 P T n² + 2 K P T m² more; `full` 2 K s(all weights); eigendecompositions about 9 P (n³ + m³), once.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../../errors.js';
import type { Likelihood } from '../../likelihood/codec.js';
import { LARGEST_FACTOR } from '../../limits.js';
import { activeValues } from '../../network/active.js';
import { allBlocks, type Block, tooLarge, trainableLayers } from '../../network/blocks.js';
import { gramProducts } from '../../network/matmul.js';
import { type Network, readNetwork, withBlocks } from '../../network/network.js';
import type { Layer } from '../../network/ops.js';
import { type Curvature, fisherOf, policyOf } from '../codec.js';
import { rowsPerExample } from '../fisher/seeds.js';
import { type LayerLayout, layersOf, type Structure, sizeOf, sumsOf } from '../layout.js';
import { closedFormOf } from '../structure/closedForm.js';
import { suitsLowRank } from '../structure/lowRank.js';
import { warningsOf } from './coverageWarnings.js';

/** What becomes of one layer with weights, or of one of its blocks. */
export interface LayerCoverage {
  /** The block's name, or the layer's where it has none. */
  readonly name: string;
  readonly className: string;
  /** How its curvature is kept; `'map'` where its weights stay at their trained values. */
  readonly block: Structure | 'map';
  /** Why, in words. */
  readonly reason: string;
  /** Weights, trainable or not. */
  readonly parameters: number;
  /** Float64 numbers in its sums. */
  readonly numbers: number;
  /** Operations of the pass for one example; absent where the number of positions depends on the data. */
  readonly operations?: number;
}

/** What a pass would cover and take. */
export interface Coverage {
  readonly layers: ReadonlyArray<LayerCoverage>;
  readonly parameters: number;
  readonly coveredParameters: number;
  /** coveredParameters / parameters. */
  readonly share: number;
  /** Bytes of the sums on the host; the device holds half of that at most, and a batch. */
  readonly bytes: number;
  /** Rows that are sent back through the network for each example, at most. */
  readonly rowsPerExample: number;
  /** Operations of the pass for one example, as far as they are known beforehand. */
  readonly operationsPerExample: number;
  /** Operations of the eigendecompositions, once. */
  readonly decomposition: number;
  /** What to know before starting, each with what to do. */
  readonly warnings: ReadonlyArray<string>;
}

/**
 * What `curvature` would cover of a model. Takes no pass and allocates nothing on the device.
 *
 * @returns the errors of reading the model, those of a selection of layers that fits none, and of `lowRank` where it does not suit; layers that cannot have a block are no
 * error here but `'map'`, with a warning where the estimator would refuse them.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
 * import { categorical, coverage, coverageTable, kfac } from 'tfjs-laplace';
 *
 * const model = tf.sequential({
 *   layers: [
 *     tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3 }),
 *     tf.layers.flatten(),
 *     tf.layers.dense({ units: 3 }),
 *   ],
 * });
 * const found = coverage(model, { likelihood: categorical(), curvature: kfac() });
 * if (E.isRight(found)) {
 *   found.right.share; // => 1
 *   coverageTable(found.right); // a table to print
 * }
 * ```
 */
export const coverage = (
  model: LayersModel,
  { likelihood, curvature }: { readonly likelihood: Likelihood; readonly curvature: Curvature },
): E.Either<LaplaceError, Coverage> =>
  F.pipe(
    readNetwork(model, likelihood),
    E.chain((network) =>
      F.pipe(
        withBlocks(network, curvature.layers, policyOf(curvature) === 'diagonal' ? 'diagonal' : 'map'),
        E.chain((chosen) => suitsLowRank(chosen, curvature)),
        E.map((chosen) => summary(chosen, curvature)),
      ),
    ),
  );

function summary(network: Network, curvature: Curvature): Coverage {
  const fisher = fisherOf(curvature);
  const reduce = 'weightSharing' in curvature && curvature.weightSharing === 'reduce';
  const layouts = curvature._tag === 'full' ? [] : layersOf(network, curvature);
  const closed = closedFormOf(network, layouts, curvature) !== undefined;
  const rows = fisher === undefined || closed ? 0 : rowsPerExample(fisher, network.outputs);
  const active = activeValues(network);
  const back = (block: Block): number => (block.ops.some((op) => active.has(op.input)) ? rows : 0);
  const covered = network.blocks.map((block, i) =>
    ofBlock(block, layouts[i], { rows: closed ? 1 : rows, back: back(block), reduce, closed }),
  );
  const layers = [...covered, ...leftOut(network)];
  const [joint] = curvature._tag === 'full' ? layersOf(network, curvature) : [];
  const ofAll = joint === undefined ? 0 : 2 * rows * gramProducts(joint.n);
  const numbers = (joint === undefined ? covered.map((l) => l.numbers) : [joint.n * joint.n]).reduce((a, b) => a + b, 0);
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const coveredParameters = covered.reduce((sum, layer) => sum + layer.parameters, 0);
  return {
    layers,
    parameters,
    coveredParameters,
    share: parameters === 0 ? 0 : coveredParameters / parameters,
    bytes: 8 * numbers,
    rowsPerExample: rows,
    operationsPerExample: covered.reduce((sum, layer) => sum + (layer.operations ?? 0), ofAll),
    decomposition: (joint === undefined ? layouts : [joint]).reduce((sum, layer) => sum + decompositionOf(layer), 0),
    warnings: warningsOf(network, curvature, 8 * numbers, !closed),
  };
}

/** Rows of a block that are summed (a closed form needs one array of probabilities), and rows that are sent on through it. */
interface Cost {
  readonly rows: number;
  readonly back: number;
  readonly reduce: boolean;
  readonly closed: boolean;
}

function ofBlock(block: Block, layout: LayerLayout | undefined, cost: Cost): LayerCoverage {
  const { name, groups: P, n, m, map } = block;
  const T = map.positions;
  const structure = layout?.structure ?? 'full';
  const numbers = layout === undefined ? 0 : sumsOf(layout).reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  return {
    name,
    className: block.layer.getClassName(),
    block: structure,
    reason: reasonOf(block, structure, layout?.sketch),
    parameters: sizeOf(block),
    numbers,
    ...(T === undefined
      ? {}
      : { operations: 2 * P * (T * n * m * (1 + cost.back) + sumsOperations(structure, block, T, cost, layout?.sketch)) }),
  };
}

function sumsOperations(
  structure: Structure,
  { groups, n, m }: Block,
  T: number,
  { rows: K, reduce, closed }: Cost,
  sketch: LayerLayout['sketch'],
): number {
  const rows = reduce ? 1 : T;
  const square = (d: number): number => d * d;
  const gram = groups === 1 ? gramProducts : square;
  switch (structure) {
    case 'kronecker':
      return rows * gram(n) + K * rows * (closed ? square : gram)(m);
    case 'embedding':
      return K * T * gram(m);
    case 'diagonal':
      return T === 1 ? n * m : K * T * n * m;
    case 'eigen':
      return (T === 1 ? n * m : K * T * n * m) + T * n * n + K * T * m * m;
    case 'lowRank':
      // Λ Ω: products of p and of one-hot rows with Ω, and of their likes with what comes out.
      return gram(n) + m + 4 * m * (sketch?.columns ?? 0);
    case 'full':
      return K * T * n * m;
  }
}

const decompositionOf = ({ structure, groups, n, m }: LayerLayout): number => {
  const cubes = {
    kronecker: n ** 3 + m ** 3,
    eigen: n ** 3 + m ** 3,
    embedding: m ** 3,
    full: n ** 3,
    diagonal: 0,
    lowRank: n ** 3,
  };
  return 9 * groups * cubes[structure];
};

function reasonOf({ groups, map, ops, structure: own }: Block, structure: Structure, sketch: LayerLayout['sketch']): string {
  const uses = ops.length > 1 ? `, ${ops.length} uses` : '';
  const places =
    map.positions === undefined
      ? ', as many positions as the data have'
      : map.positions > 1
        ? `, ${map.positions} positions`
        : '';
  const parts = groups > 1 && structure !== 'diagonal' ? `, ${groups} groups` : '';
  switch (structure) {
    case 'kronecker':
      return `two factors${parts}${places}${uses}`;
    case 'embedding':
      return `counts of tokens and one factor${uses}`;
    case 'eigen':
      return `moments along the factors' eigenvectors${parts}${places}${uses}`;
    case 'diagonal':
      return own === 'diagonal' && map.structure !== 'diagonal'
        ? `its factors would have more than ${LARGEST_FACTOR} rows`
        : `each weight on its own${uses}`;
    case 'lowRank':
      return sketch === undefined
        ? 'a factor and a diagonal'
        : `a factor, and a diagonal and at most ${sketch.rank} eigenvectors`;
    case 'full':
      return 'all weights together';
  }
}

/** Layers with weights that have no block. */
function leftOut(network: Network): ReadonlyArray<LayerCoverage> {
  const all = allBlocks(network.ops);
  const trainable = trainableLayers(network);
  const layers = [...new Set(network.ops.map((op) => op.layer))].filter((layer) => layer.weights.length > 0);
  interface Missing {
    readonly layer: Layer;
    readonly name: string;
    readonly parameters: number;
    readonly block: Block | undefined;
  }
  const missing = layers.flatMap((layer): ReadonlyArray<Missing> => {
    const own = all.filter((block) => block.layer === layer);
    const without = own.filter((block) => network.blocks.every((chosen) => chosen.name !== block.name));
    if (own.length === 0) return [{ layer, name: layer.name, parameters: weightsOf(layer.weights), block: undefined }];
    return without.map((block) => ({ layer, name: block.name, parameters: sizeOf(block), block }));
  });
  return missing.map(({ layer, name, parameters, block }) => ({
    name,
    className: layer.getClassName(),
    block: 'map' as const,
    reason: !trainable.includes(layer)
      ? 'frozen'
      : block === undefined
        ? 'not linear in its weights'
        : tooLarge(block)
          ? `its factors would have more than ${LARGEST_FACTOR} rows`
          : 'not among the chosen layers',
    parameters,
    numbers: 0,
  }));
}

const weightsOf = (weights: ReadonlyArray<{ readonly shape: ReadonlyArray<number | null> }>): number =>
  weights.reduce((sum, { shape }) => sum + shape.reduce<number>((size, d) => size * (d ?? 1), 1), 0);
