/**
 * A network as the rest of the library sees it: f = network(x) [B, C] before the likelihood's link, made of operations, with
 * the layers that get a curvature block listed in the order in which they run.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import type { LayerSelection } from '../codec/layers.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Likelihood } from '../likelihood/codec.js';
import { type LikelihoodOps, likelihoodOps } from '../likelihood/index.js';
import { type Graph, readGraph } from './graph.js';
import { type DenseOp, inputsOf, type Layer, type Op, outputsOf, type ValueId } from './ops.js';

/** A layer with a curvature block: its weights are one matrix W [n, m], the bias (if any) its last row. */
export interface Block {
  readonly name: string;
  /** Rows of W: inputs of the layer, plus one for the bias. */
  readonly n: number;
  /** Columns of W: outputs of the layer. */
  readonly m: number;
  readonly bias: boolean;
  readonly op: DenseOp;
}

/** A model read once, together with the likelihood that its outputs feed. */
export interface Network {
  readonly model: LayersModel;
  readonly likelihood: Likelihood;
  readonly likelihoodOps: LikelihoodOps;
  readonly ops: ReadonlyArray<Op>;
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
export const withBlocks = (network: Network, layers: LayerSelection): E.Either<LaplaceError, Network> =>
  F.pipe(
    selectBlocks(network, layers),
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
  const activation = last === undefined || last.kind === 'dense' ? 'linear' : last.form;
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

function selectBlocks({ ops, model }: Network, layers: LayerSelection): E.Either<LaplaceError, ReadonlyArray<Block>> {
  const dense = ops.filter((op): op is DenseOp => op.kind === 'dense');
  if (layers !== 'all' && layers !== 'last') {
    const known = dense.map((op) => op.layer.name);
    const missing = layers.filter((name) => !known.includes(name));
    if (layers.length > 0 && missing.length === 0) {
      return blocksOf(
        dense.filter((op) => layers.includes(op.layer.name)),
        dense,
      );
    }
    return E.left(
      laplaceError('NoBayesianLayer', {
        what: `Model '${model.name}' does not have every dense layer that was named`,
        field: 'layers',
        found: missing.join(', ') || 'no name',
        expected: `names out of: ${known.join(', ') || '(the model has no dense layer)'}`,
      }),
    );
  }
  // The model's own list: it leaves out the layers of a frozen inner model, which don't know that they are frozen.
  const weights = new Set(model.trainableWeights);
  const trainable = [...new Set(ops.map((op) => op.layer))].filter((layer) => layer.weights.some((w) => weights.has(w)));
  const known = dense.filter((op) => trainable.includes(op.layer));
  if (known.length === 0) {
    return E.left(
      laplaceError('NoBayesianLayer', {
        what: `Model '${model.name}' has no trainable dense layer`,
        field: 'layers',
        found: trainable.map((l) => `${l.name} (${l.getClassName()})`).join(', ') || 'no trainable layer',
        expected: 'at least one trainable Dense layer',
      }),
    );
  }
  if (layers === 'last') return blocksOf(known.slice(-1), dense);
  const foreign = trainable.find((l) => l.getClassName() !== 'Dense');
  if (foreign !== undefined) {
    return E.left(
      laplaceError('UnsupportedLayer', {
        what: `Layer '${foreign.name}' has trainable weights but no curvature block`,
        layer: foreign.name,
        found: foreign.getClassName(),
        expected: 'Dense',
        remedy: "Cover part of the model (layers: 'last', or a list of names), or freeze the layer (trainable = false).",
      }),
    );
  }
  return blocksOf(known, dense);
}

function blocksOf(chosen: ReadonlyArray<DenseOp>, all: ReadonlyArray<DenseOp>): E.Either<LaplaceError, ReadonlyArray<Block>> {
  for (const { layer } of chosen) {
    const reason = obstacle(layer, all);
    if (reason !== undefined) {
      return E.left(
        laplaceError('UnsupportedLayer', {
          what: `Dense layer '${layer.name}' has no curvature block yet`,
          layer: layer.name,
          found: reason,
          expected: 'a dense layer of a name of its own that is used once, on inputs [B, n]',
          remedy: "Leave it at its MAP: name the layers to cover, or use layers: 'last'.",
        }),
      );
    }
  }
  return E.right(chosen.map(block));
}

/** Why a dense layer cannot have a block. */
function obstacle(layer: Layer, all: ReadonlyArray<DenseOp>): string | undefined {
  const uses = all.filter((op) => op.layer === layer).length;
  if (uses > 1) return `used ${uses} times (shared weights)`;
  // Inner models have names of their own; factors, priors and posteriors know a layer by its name alone.
  if (all.some((op) => op.layer !== layer && op.layer.name === layer.name)) return 'another dense layer of the same name';
  const rank = (layer.inboundNodes[0]?.inputShapes[0] as ReadonlyArray<unknown> | undefined)?.length ?? 2;
  return rank === 2 ? undefined : `inputs of rank ${rank}`;
}

function block(op: DenseOp): Block {
  const [kernel, bias] = op.layer.weights;
  const [inputs, m] = (kernel as LayerVariable).shape as [number, number];
  return { name: op.layer.name, n: inputs + (bias === undefined ? 0 : 1), m, bias: bias !== undefined, op };
}
