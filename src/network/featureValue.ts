/** The features of a network: a value on the way to its outputs, such as the input of its last dense layer. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Passable } from './forward.js';
import { type Graph, readGraph } from './graph.js';
import { layersModel } from './layersModel.js';
import { notDisposed } from './network.js';
import { outputsOf, type ValueId } from './ops.js';

/** A model, and the value that its features are. */
export interface Featured extends Passable {
  readonly value: ValueId;
}

/** Finds the output of the layer of that name, after its activation; without a name the input of the last dense layer. */
export const readFeatures = (model: LayersModel, layer: string | undefined): E.Either<LaplaceError, Featured> =>
  F.pipe(
    layersModel(model),
    E.chain(notDisposed),
    E.chain(readGraph),
    E.chain((graph) =>
      F.pipe(
        layer === undefined ? lastInput(graph, model) : outputOf(graph, model, layer),
        E.map((value) => ({ model, ops: graph.ops, inputs: graph.inputs, value })),
      ),
    ),
  );

function lastInput({ uses, outputs }: Graph, model: LayersModel): E.Either<LaplaceError, ValueId> {
  const last = uses.filter(({ layer }) => layer.getClassName() === 'Dense').at(-1);
  if (last !== undefined && outputs.length === 1) return E.right(last.input);
  return E.left(
    laplaceError('InvalidModel', {
      what: `Model '${model.name}' does not say what its features are`,
      field: 'layer',
      found: last === undefined ? 'no dense layer' : `${outputs.length} outputs`,
      expected: 'one output, and a last dense layer, whose inputs are the features',
      remedy: 'Name the layer whose output to take: features(model, { layer: … }).',
    }),
  );
}

/** A layer that is used several times counts by its last use. */
function outputOf({ ops, uses }: Graph, model: LayersModel, name: string): E.Either<LaplaceError, ValueId> {
  const use = uses.filter(({ layer }) => layer.name === name).at(-1);
  const op = use?.activation ?? ops.filter(({ layer }) => layer.name === name).at(-1);
  const value = use !== undefined && use.activation === undefined ? use.output : op && outputsOf(op)[0];
  if (value !== undefined) return E.right(value);
  return E.left(
    laplaceError('InvalidModel', {
      what: `Model '${model.name}' has no layer '${name}' that computes something`,
      field: 'layer',
      found: `'${name}'`,
      expected: [...new Set(ops.map(({ layer }) => layer.name))].join(', '),
    }),
  );
}
