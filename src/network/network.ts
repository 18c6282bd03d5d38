/**
 * A network as the rest of the library sees it: f = network(x) [B, C] before the likelihood's link, made of operations, with
 * the layers that get a curvature block listed in the order in which they run.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import type { LayerSelection } from '../codec/layers.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Likelihood } from '../likelihood/codec.js';
import { type LikelihoodOps, likelihoodOps } from '../likelihood/index.js';
import { type Block, selectBlocks, type Unsupported } from './blocks.js';
import { type Graph, readGraph } from './graph.js';
import { inputsOf, type LayerUse, type Op, outputsOf, type ValueId } from './ops.js';

export type { Block } from './blocks.js';

/** A model read once, together with the likelihood that its outputs feed. */
export interface Network {
  readonly model: LayersModel;
  readonly likelihood: Likelihood;
  readonly likelihoodOps: LikelihoodOps;
  readonly ops: ReadonlyArray<Op>;
  /** Every use of a layer that is linear in its weights, in running order. */
  readonly uses: ReadonlyArray<LayerUse>;
  readonly inputs: ReadonlyArray<ValueId>;
  /** The value f [B, C]: logits or outputs, before the link. */
  readonly output: ValueId;
  /** C. */
  readonly outputs: number;
  /** Outputs of one step of a sequence, for `perStep`; C for all other likelihoods. */
  readonly stepOutputs: number;
  /** The link (softmax, sigmoid, logSoftmax), where it is the model's own last activation. */
  readonly link: string | undefined;
  /** Whether it is. */
  readonly linkInside: boolean;
  /** The layers that are covered, in running order. */
  readonly blocks: ReadonlyArray<Block>;
}

/** Reads a model for a likelihood. No layer has a block yet: see `withBlocks`. */
export function readNetwork(model: LayersModel, likelihood: Likelihood): E.Either<LaplaceError, Network> {
  const lastDimension = model.outputs?.[0]?.shape.at(-1) ?? 0;
  const ops = likelihoodOps(likelihood, lastDimension);
  return F.pipe(
    notDisposed(model),
    E.chain(() => readGraph(model)),
    E.chain((graph) => cutLink(graph, model, ops)),
    E.map(({ graph, link, outputs }) => ({
      ...graph,
      model,
      likelihood,
      likelihoodOps: ops,
      outputs,
      stepOutputs: lastDimension,
      link,
      linkInside: link !== undefined,
      blocks: [],
    })),
  );
}

/** The same network with blocks for these layers; the others stay at their MAP. */
export const withBlocks = (
  network: Network,
  layers: LayerSelection,
  unsupported: Unsupported = 'error',
): E.Either<LaplaceError, Network> =>
  F.pipe(
    selectBlocks(network, layers, unsupported),
    E.map((blocks) => ({ ...network, blocks })),
  );

/** Fails for a model whose weights have been disposed. */
export function notDisposed(model: LayersModel): E.Either<LaplaceError, LayersModel> {
  // tfjs keeps the variable to itself, and its read() of a disposed one throws.
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

/** Leaves the likelihood's own link out of the graph, and checks that the outputs suit the likelihood. */
function cutLink(graph: Graph, model: LayersModel, ops: LikelihoodOps) {
  const shape = model.outputs[0]?.shape ?? [];
  const sequence = ops.sequence === true;
  const outputs = shape.slice(1).reduce<number>((size, d) => size * (d ?? 0), 1);
  const last = graph.ops.find((op) => outputsOf(op).includes(graph.output));
  const activation = last === undefined || last.kind === 'linear' ? 'linear' : last.form;
  if (shape.length !== (sequence ? 3 : 2) || outputs === 0 || !ops.outputsFit(outputs)) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `The output of model '${model.name}' does not suit the ${ops.name} likelihood`,
        field: 'outputs',
        found: `shape [${shape.map((d, i) => d ?? (i === 0 ? 'B' : '?')).join(', ')}]`,
        expected: `${sequence ? '[B, S, C], S known,' : '[B, C]'} with ${ops.outputs}`,
        remedy: remedyFor(ops, shape.length, outputs),
      }),
    );
  }
  if (ops.forbidden.includes(activation)) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `The last activation of model '${model.name}' contradicts the ${ops.name} likelihood`,
        field: 'activation',
        found: `'${activation}'`,
        expected: ops.links.length > 0 ? `'${ops.links[0]}', or outputs before it` : 'an output without softmax',
        remedy: 'Name the likelihood that the model was trained for: see categorical, bernoulli, gaussian and their like.',
      }),
    );
  }
  const link = ops.links.includes(activation) ? activation : undefined;
  const cut =
    link === undefined || last === undefined
      ? graph
      : { ...graph, ops: graph.ops.filter((op) => op !== last), output: inputsOf(last)[0] as ValueId };
  return E.right({ graph: sequence && last !== undefined ? sideBySide(cut, last) : cut, link, outputs });
}

/** The same graph with the steps of its output [B, S, C] laid side by side, [B, S·C], as one more operation. */
function sideBySide(graph: Graph, { layer }: Op): Graph {
  const output = 1 + Math.max(graph.output, ...graph.inputs, ...graph.ops.flatMap((op) => [...outputsOf(op)]));
  const apply = ([t]: ReadonlyArray<tf.Tensor>) => [tf.reshape(t as tf.Tensor, [(t as tf.Tensor).shape[0] as number, -1])];
  const op: Op = { kind: 'opaque', layer, form: 'Flatten', apply, inputs: [graph.output], outputs: [output] };
  return { ...graph, ops: [...graph.ops, op], output };
}

function remedyFor({ name, sequence }: LikelihoodOps, rank: number, outputs: number): string {
  if (rank === 3 && !sequence) return `For a ${name} of every step use perStep().`;
  return name === 'categorical' && outputs === 1 ? 'For one output use bernoulli().' : '';
}
