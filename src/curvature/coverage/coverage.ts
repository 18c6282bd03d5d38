/**
 * Tells what an estimator would cover of a model, and what it would cost. Shapes alone decide this, so no pass over data is
 * needed.
 *
 * A multiplication and an addition count as two operations. For a block of P groups, with T positions and K rows sent back for
 * each example:
 *
 *   forward pass              2 P T n m
 *   backward pass             2 K P T n m                        only if a covered layer lies below
 *   Kronecker sums            2 P T s(n) + 2 K P T s(m)          s(d) from d² for small d towards d²/2 for large d (`gramProducts`)
 *   diagonal sums             2 K P T n m                        2 P n m if T is 1
 *   `eigen`, beside these     2 P T n² + 2 K P T m²
 *   `full`                    2 K s(number of all covered weights)
 *   eigendecompositions       about 9 P (n³ + m³)                once, not for each example
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import { optionsOf, struct } from '../../codec/index.js';
import { dual, ifArguments } from '../../dual.js';
import type { LaplaceError } from '../../errors.js';
import { type Likelihood, LikelihoodCodec, type LikelihoodInput } from '../../likelihood/index.js';
import { LARGEST_FACTOR } from '../../limits.js';
import { activeValues } from '../../network/active.js';
import { allBlocks, type Block, trainableLayers } from '../../network/blocks.js';
import { gramProducts } from '../../network/matmul.js';
import { type Network, readNetwork } from '../../network/network.js';
import type { Layer } from '../../network/ops.js';
import { coverable, tooLarge } from '../choice.js';
import { closedFormOf } from '../closedForm.js';
import { type Curvature, CurvatureCodec, type CurvatureInput, fisherOf } from '../codec.js';
import { fisherRule } from '../fisher/index.js';
import { isReduced, type LayerLayout, layersOf, sizeOf } from '../layout.js';
import { sharesOf } from '../perOutput.js';
import { INPUT, isNetworkWide, type Structure, structureNamed, sumsOf } from '../structure/index.js';
import { suitsLowRank } from '../suitsLowRank.js';
import { warningsOf } from './coverageWarnings.js';

/** How the estimator treats one layer with weights, or one of its blocks. */
export interface LayerCoverage {
  /** The block's name, or the layer's name if it has no block. */
  readonly name: string;
  readonly className: string;
  /** The structure in which the curvature is kept, or `'map'` if the weights stay at their trained values. */
  readonly block: Structure | 'map';
  /** The reason for `block`, in words. */
  readonly reason: string;
  /** The number of weights, trainable or not. */
  readonly parameters: number;
  /** How many float64 numbers the sums hold; 0 for blocks that `full` sums together, and for layers that stay at their MAP. */
  readonly numbers: number;
  /** Operations of the pass for one example; absent if the number of positions depends on the data. */
  readonly operations?: number;
}

/** What a pass would cover, and what it would cost. */
export interface Coverage {
  readonly layers: ReadonlyArray<LayerCoverage>;
  readonly parameters: number;
  readonly coveredParameters: number;
  /** coveredParameters / parameters. */
  readonly share: number;
  /** Bytes of the sums on the host. The device holds at most half of that, and a batch. */
  readonly bytes: number;
  /** The largest number of rows that are sent back through the network for each example. */
  readonly rowsPerExample: number;
  /** Operations of the pass for one example. Layers whose cost is not known beforehand are left out. */
  readonly operationsPerExample: number;
  /** Operations of the eigendecompositions, once. */
  readonly decomposition: number;
  /** Problems that are known before the pass, each with a remedy. */
  readonly warnings: ReadonlyArray<string>;
}

/** What `coverage` is asked about. A recipe serves as well. */
export interface CoverageOptions {
  readonly likelihood: Likelihood | LikelihoodInput;
  readonly curvature: Curvature | CurvatureInput;
}

const Options = struct('options { likelihood, curvature }', { likelihood: LikelihoodCodec, curvature: CurvatureCodec });

/**
 * Tells what `curvature` would cover of a model. It takes no pass over data and allocates nothing on the device.
 *
 * @returns the coverage, or an error if the model cannot be read, the selection of layers fits no layer, or `lowRank` does not
 *   suit the model. A layer that cannot have a block is no error here: its `block` is `'map'`, with a warning if the estimator
 *   would refuse the layer.
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
export function coverage(options: CoverageOptions): (model: LayersModel) => E.Either<LaplaceError, Coverage>;
export function coverage(model: LayersModel, options: CoverageOptions): E.Either<LaplaceError, Coverage>;
export function coverage(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (options: CoverageOptions) => {
    const { likelihood, curvature } = optionsOf('coverage', Options, options);
    return (model: LayersModel) =>
      F.pipe(
        readNetwork(model, likelihood),
        E.chain((network) => coverable(network, curvature)),
        E.chain((chosen) => suitsLowRank(chosen, curvature)),
        E.bindTo('chosen'),
        E.bind('shares', ({ chosen }) => sharesOf(chosen, curvature)),
        E.map(({ chosen, shares = 1 }) => summary(chosen, curvature, shares)),
      );
  });
}

/** @param shares how many sums there are of each gradient side */
function summary(network: Network, curvature: Curvature, shares: number): Coverage {
  const fisher = fisherOf(curvature);
  const layouts = layersOf(network, curvature);
  const closed = closedFormOf(network, layouts, curvature) !== undefined;
  const rows = fisher === undefined || closed ? 0 : fisherRule(fisher).rowsPerExample(fisher, network.outputs);
  const active = activeValues(network);
  const back = (block: Block): number => (block.ops.some((op) => active.has(op.input)) ? rows : 0);
  const cost = { rows: closed ? 1 : rows, reduce: isReduced(curvature), closed, shares };
  const covered = network.blocks.map((block) =>
    ofBlock(block, layoutWith(layouts, block), curvature, { ...cost, back: back(block) }),
  );
  const layers = [...covered, ...leftOut(network, curvature)];
  const networkWide = layouts.filter(isNetworkWide);
  const numbers = layouts.reduce((sum, layer) => sum + numbersOf(layer, shares), 0);
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const coveredParameters = covered.reduce((sum, layer) => sum + layer.parameters, 0);
  return {
    layers,
    parameters,
    coveredParameters,
    share: parameters === 0 ? 0 : coveredParameters / parameters,
    bytes: 8 * numbers,
    rowsPerExample: rows,
    operationsPerExample: [
      ...covered.map((layer) => layer.operations ?? 0),
      ...networkWide.map(({ n }) => 2 * rows * gramProducts(n)),
    ].reduce((a, b) => a + b, 0),
    decomposition: layouts.reduce((sum, layer) => sum + 9 * layer.groups * structureNamed(layer.structure).cubes(layer), 0),
    warnings: warningsOf(network, curvature, 8 * numbers, !closed),
  };
}

const layoutWith = (layouts: ReadonlyArray<LayerLayout>, { name }: Block): LayerLayout =>
  layouts.find(({ members }) => members.includes(name)) as LayerLayout;

const numbersOf = (layer: LayerLayout, shares: number): number =>
  Object.entries(sumsOf(layer)).reduce((sum, [part, { rows, cols }]) => sum + (part === INPUT ? 1 : shares) * rows * cols, 0);

/** What the cost of a block depends on, beside its shape. */
interface Cost {
  /** Rows that the block sums for each example; 1 for a closed form, which needs one array of probabilities. */
  readonly rows: number;
  /** Rows that are sent back through the block for each example, to layers below it. */
  readonly back: number;
  readonly reduce: boolean;
  readonly closed: boolean;
  /** How many sums there are of the gradient side. */
  readonly shares: number;
}

function ofBlock(block: Block, layout: LayerLayout, curvature: Curvature, { back, shares, ...cost }: Cost): LayerCoverage {
  const { name, groups: P, n, m, map } = block;
  const T = map.positions;
  const structure = structureNamed(layout.structure);
  const shape = isNetworkWide(layout) ? { groups: P, n, m } : layout;
  return {
    name,
    className: block.layer.getClassName(),
    block: layout.structure,
    reason: reasonOf(block, layout, curvature),
    parameters: sizeOf(block),
    numbers: isNetworkWide(layout) ? 0 : numbersOf(layout, shares),
    ...(T === undefined
      ? {}
      : { operations: 2 * P * (T * n * m * (1 + back) + structure.operations(shape, { ...cost, positions: T })) }),
  };
}

function reasonOf(block: Block, layout: LayerLayout, curvature: Curvature): string {
  const { groups, map, ops } = block;
  const places =
    map.positions === undefined
      ? ', as many positions as the data have'
      : map.positions > 1
        ? `, ${map.positions} positions`
        : '';
  const facts = [
    groups > 1 ? `, ${groups} groups` : '',
    isNetworkWide(layout) ? '' : places,
    ops.length > 1 ? `, ${ops.length} uses` : '',
  ].join('');
  const words = `${structureNamed(layout.structure).words(layout)}${facts}`;
  return tooLarge(block, curvature) && !isNetworkWide(layout)
    ? `${words}: its factors would have more than ${LARGEST_FACTOR} rows`
    : words;
}

/** Layers or blocks with weights that the estimator does not cover. */
function leftOut(network: Network, curvature: Curvature): ReadonlyArray<LayerCoverage> {
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
        : tooLarge(block, curvature)
          ? `its factors would have more than ${LARGEST_FACTOR} rows`
          : 'not among the chosen layers',
    parameters,
    numbers: 0,
  }));
}

const weightsOf = (weights: ReadonlyArray<{ readonly shape: ReadonlyArray<number | null> }>): number =>
  weights.reduce((sum, { shape }) => sum + shape.reduce<number>((size, d) => size * (d ?? 1), 1), 0);
