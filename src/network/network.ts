/**
 * A network as the rest of the library sees it: f = network(x) [B, C], before the likelihood's link. With several outputs f holds
 * all of them side by side, each before its own link. A network is a list of operations. The layers that get a curvature block
 * are listed in the order in which they run.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import type { LayerSelection } from '../codec/layers.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Likelihood } from '../likelihood/index.js';
import { type ModelLikelihoodOps, modelLikelihoodOps } from '../likelihood/index.js';
import { type Block, type NotLinear, selectBlocks } from './blocks.js';
import { readGraph } from './graph.js';
import { type Head, readHeads } from './heads.js';
import { layersModel } from './layersModel.js';
import type { LayerUse, Op, ValueId } from './ops.js';

export type { Block } from './blocks.js';
export type { Head } from './heads.js';

/** A model read once, together with the likelihood that its outputs feed. */
export interface Network {
  readonly model: LayersModel;
  readonly likelihood: Likelihood;
  /** The model's outputs, in its order, each with its own likelihood. */
  readonly heads: ReadonlyArray<Head>;
  /** The likelihood of f, all heads together. */
  readonly likelihoodOps: ModelLikelihoodOps;
  readonly ops: ReadonlyArray<Op>;
  /** Every use of a layer that is linear in its weights, in running order. */
  readonly uses: ReadonlyArray<LayerUse>;
  readonly inputs: ReadonlyArray<ValueId>;
  /** The values that make up f [B, C] side by side, before the links: one for each head. */
  readonly ends: ReadonlyArray<ValueId>;
  /** C. */
  readonly outputs: number;
  /** The layers that are covered, in running order. */
  readonly blocks: ReadonlyArray<Block>;
}

/**
 * Reads a model for a likelihood. No layer has a block yet: see `withBlocks`.
 *
 * @param kept class names of layers that do nothing at prediction time and get an operation all the same, such as 'Dropout'.
 */
export const readNetwork = (
  model: LayersModel,
  likelihood: Likelihood,
  kept?: ReadonlySet<string>,
): E.Either<LaplaceError, Network> =>
  F.pipe(
    layersModel(model),
    E.chain(notDisposed),
    E.chain((own) => readGraph(own, kept)),
    E.chain((graph) =>
      F.pipe(
        readHeads(graph, model, likelihood),
        E.map(
          (headed): Network => ({
            ...headed,
            model,
            likelihoodOps: modelLikelihoodOps(headed.heads),
            uses: graph.uses,
            inputs: graph.inputs,
            ends: headed.heads.map(({ value }) => value),
            outputs: headed.heads.reduce((sum, { outputs }) => sum + outputs, 0),
            blocks: [],
          }),
        ),
      ),
    ),
  );

/** The same network with blocks for these layers; the others stay at their MAP. */
export const withBlocks = (
  network: Network,
  layers: LayerSelection,
  notLinear: NotLinear = 'error',
): E.Either<LaplaceError, Network> =>
  F.pipe(
    selectBlocks(network, layers, notLinear),
    E.map((blocks) => ({ ...network, blocks })),
  );

/** Fails for a model whose weights have been disposed. */
export function notDisposed(model: LayersModel): E.Either<LaplaceError, LayersModel> {
  // tfjs does not show whether a weight's variable is disposed, but read() throws if it is.
  const disposed = model.weights.find((w) => E.isLeft(E.tryCatch(() => w.read(), String)));
  return disposed === undefined
    ? E.right(model)
    : E.left(
        laplaceError('InvalidModel', {
          what: `Model '${model.name}' is disposed`,
          found: `weight '${disposed.name}' without data`,
          remedy: 'Build or load the model again.',
        }),
      );
}
