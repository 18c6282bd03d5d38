/**
 * The outputs of a model, each with the likelihood that it feeds. The likelihood's link (softmax, for example) is not part of the
 * network: a head ends before it. f [B, C] holds the values of all heads side by side.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Likelihood, OutputLikelihood } from '../likelihood/index.js';
import { type LikelihoodOps, likelihoodOps, type Part } from '../likelihood/index.js';
import type { Graph } from './graph.js';
import { inputsOf, type Layer, type Op, outputsOf, type ValueId } from './ops.js';

/** One output of a model and its likelihood. */
export interface Head {
  /** The output's name in the model. */
  readonly name: string;
  readonly likelihood: OutputLikelihood;
  readonly ops: LikelihoodOps;
  /** How many columns the head has in f. */
  readonly outputs: number;
  /** The head's first column in f. */
  readonly first: number;
  /** One row of a report: one step of a sequence, or all outputs of an example. */
  readonly row: Part;
  /** The name of the link (softmax, sigmoid, logSoftmax) if it is the last activation of the output; otherwise undefined. */
  readonly link: string | undefined;
  /** The value [B, outputs], before the link. */
  readonly value: ValueId;
}

/** The operations of a graph that ends with its heads. */
export interface Headed {
  readonly likelihood: Likelihood;
  readonly ops: ReadonlyArray<Op>;
  readonly heads: ReadonlyArray<Head>;
}

/** Pairs the outputs of a model with their likelihoods. Fails if they do not fit each other. */
export const readHeads = (graph: Graph, model: LayersModel, likelihood: Likelihood): E.Either<LaplaceError, Headed> =>
  F.pipe(
    pairs(model, likelihood),
    E.bindTo('named'),
    E.bind('cuts', ({ named }) =>
      E.traverseArray((pair: Pair) => cutLink(graph, model, pair, named.length > 1))(named.map((pair, i) => ({ ...pair, i }))),
    ),
    E.chainFirst(({ cuts }) => oneOpenWidth(cuts)),
    E.map(({ cuts }) => {
      const outputs = Object.freeze(Object.fromEntries(cuts.map((cut) => [cut.name, cut.likelihood])));
      return {
        ...assembled(graph, model, cuts),
        // The likelihoods are in the model's order, whatever order they were written in.
        likelihood: likelihood._tag === 'perOutput' ? Object.freeze({ ...likelihood, outputs }) : likelihood,
      };
    }),
  );

/** Output number i and its likelihood. */
interface Pair {
  readonly i: number;
  readonly name: string;
  readonly likelihood: OutputLikelihood;
}

function pairs(model: LayersModel, likelihood: Likelihood): E.Either<LaplaceError, ReadonlyArray<Omit<Pair, 'i'>>> {
  const names = model.outputNames;
  if (likelihood._tag !== 'perOutput') {
    if (names.length === 1) return E.right([{ name: names[0] as string, likelihood }]);
    return E.left(
      laplaceError('InvalidModel', {
        what: `Model '${model.name}' has several outputs`,
        field: 'likelihood',
        found: `one likelihood for ${names.join(', ')}`,
        expected: 'a likelihood for each output',
        remedy: `Use perOutput({ ${names.map((name) => `'${name}': …`).join(', ')} }), or make a model of one of the outputs.`,
      }),
    );
  }
  const { outputs } = likelihood;
  const given = Object.keys(outputs);
  if (new Set(names).size < names.length) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `Outputs of model '${model.name}' share a name`,
        field: 'outputs',
        found: names.join(', '),
        expected: 'a name for each output',
        remedy: "Put a layer with a name of its own behind each: tf.layers.activation({ activation: 'linear', name }).",
      }),
    );
  }
  if (given.length !== names.length || !names.every((name) => Object.hasOwn(outputs, name))) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `The likelihoods do not match the outputs of model '${model.name}'`,
        field: 'likelihood',
        found: given.join(', '),
        expected: names.join(', '),
        remedy: 'Give perOutput a likelihood for each of model.outputNames, and for nothing else.',
      }),
    );
  }
  return E.right(names.map((name) => ({ name, likelihood: outputs[name] as OutputLikelihood })));
}

/** A head whose place in f is not known yet. */
interface Cut extends Omit<Head, 'first'> {
  /** The operation that is the link. It is left out of the network. */
  readonly linkOp: Op | undefined;
}

/** Finds the likelihood's own link at the end of an output, and checks that the output suits the likelihood. */
function cutLink(graph: Graph, model: LayersModel, { i, name, likelihood }: Pair, several: boolean): E.Either<LaplaceError, Cut> {
  const shape = model.outputs[i]?.shape ?? [];
  const value = graph.outputs[i] as ValueId;
  const ops = likelihoodOps(likelihood, shape.at(-1) ?? 0);
  const sequence = ops.step !== undefined;
  const outputs = shape.slice(1).reduce<number>((size, d) => size * (d ?? 0), 1);
  const last = graph.ops.find((op) => outputsOf(op).includes(value));
  const activation = last === undefined || last.kind === 'linear' ? 'linear' : last.form;
  const output = several ? `output '${name}'` : 'output';
  if (shape.length !== (sequence ? 3 : 2) || outputs === 0 || !ops.outputsFit(outputs)) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `The ${output} of model '${model.name}' does not suit the ${ops.name} likelihood`,
        field: 'outputs',
        found: `shape [${shape.map((d, axis) => d ?? (axis === 0 ? 'B' : '?')).join(', ')}]`,
        expected: `${sequence ? '[B, S, C], S known,' : '[B, C]'} with ${ops.outputs}`,
        remedy: remedyFor(ops, shape.length, outputs),
      }),
    );
  }
  if (ops.forbidden.includes(activation)) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `The last activation of ${several ? `${output} of ` : ''}model '${model.name}' contradicts the ${ops.name} likelihood`,
        field: 'activation',
        found: `'${activation}'`,
        expected: ops.links.length > 0 ? `'${ops.links[0]}', or outputs before it` : 'an output without softmax',
        remedy: 'Name the likelihood that the model was trained for: categorical, bernoulli, gaussian or another.',
      }),
    );
  }
  const linkOp = ops.links.includes(activation) ? last : undefined;
  return E.right({
    name,
    likelihood,
    ops,
    outputs,
    row: ops.step ?? { ops, outputs },
    link: linkOp && activation,
    value: linkOp === undefined ? value : (inputsOf(linkOp)[0] as ValueId),
    linkOp,
  });
}

function remedyFor({ name, step, remedy }: LikelihoodOps, rank: number, outputs: number): string {
  if (rank === 3 && step === undefined) return `For a ${name} likelihood of every step use perStep().`;
  return remedy?.(outputs) ?? '';
}

/**
 * At most one output may leave the width of its targets open: it gets the columns that the other outputs leave over
 * (`perOutput.ts`).
 */
function oneOpenWidth(cuts: ReadonlyArray<Cut>): E.Either<LaplaceError, void> {
  const open = cuts.filter(({ ops }) => ops.targetWidth === undefined);
  if (open.length < 2) return E.right(undefined);
  return E.left(
    laplaceError('InvalidModel', {
      what: 'Several outputs have a custom likelihood',
      field: 'likelihood',
      found: open.map(({ name, ops }) => `${ops.name} for ${name}`).join(', '),
      expected: 'at most one customLikelihood in perOutput',
      remedy: 'Concatenate these outputs in the model, and write one customLikelihood for the result.',
    }),
  );
}

/**
 * Drops the links that nothing else reads. After each sequence [B, S, C] it adds an operation that puts the steps side by side,
 * [B, S·C].
 */
function assembled(graph: Graph, model: LayersModel, cuts: ReadonlyArray<Cut>): Omit<Headed, 'likelihood'> {
  const links = new Set(cuts.flatMap(({ linkOp }) => linkOp ?? []));
  const needed = new Set([...cuts.map(({ value }) => value), ...graph.ops.flatMap((op) => (links.has(op) ? [] : inputsOf(op)))]);
  const ops = graph.ops.filter((op) => !links.has(op) || outputsOf(op).some((id) => needed.has(id)));
  const unused = 1 + Math.max(...graph.inputs, ...graph.ops.flatMap(outputsOf));
  let first = 0;
  const heads = cuts.map(({ linkOp, ...cut }, i): Head => {
    const start = first;
    first += cut.outputs;
    if (cut.ops.step === undefined) return { ...cut, first: start };
    const layer = model.outputs[i]?.sourceLayer as Layer;
    ops.push(sideBySide(layer, cut.value, unused + i));
    return { ...cut, first: start, value: unused + i };
  });
  return { ops, heads };
}

function sideBySide(layer: Layer, input: ValueId, output: ValueId): Op {
  const apply = ([t]: ReadonlyArray<tf.Tensor>) => [tf.reshape(t as tf.Tensor, [(t as tf.Tensor).shape[0] as number, -1])];
  return { kind: 'opaque', layer, form: 'Flatten', apply, inputs: [input], outputs: [output] };
}
