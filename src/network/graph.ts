/**
 * Reads the graph of a `tf.LayersModel` (sequential or functional, models inside models included) into a list of operations.
 * Layers that do nothing at prediction time (dropout, noise, activity regularisation) leave no operation behind.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, Sequential, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { activated, lowered } from './lower.js';
import { isElementwise, type Layer, type LayerUse, type Op, type ValueId } from './ops.js';
import { whyWhole } from './recurrent/index.js';

/** A model's computation for one batch. */
export interface Graph {
  readonly ops: ReadonlyArray<Op>;
  /** Every use of a layer that is linear in its weights, in running order. */
  readonly uses: ReadonlyArray<LayerUse>;
  readonly inputs: ReadonlyArray<ValueId>;
  /** One value for each output of the model. */
  readonly outputs: ReadonlyArray<ValueId>;
}

/** The parts of tfjs's `Node` that are read here; its own class is not exported. */
interface LayerNode {
  readonly inputTensors: ReadonlyArray<SymbolicTensor>;
  readonly outputTensors: ReadonlyArray<SymbolicTensor>;
}

interface Activation {
  getClassName(): string;
  apply(z: tf.Tensor): tf.Tensor;
}

/** Layers that are the identity at prediction time. */
const IDENTITY = new Set([
  'Dropout',
  'SpatialDropout1D',
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
  'ActivityRegularization',
]);

/** Activation layers of tfjs that work entry by entry and have no weights. */
const ELEMENTWISE_LAYERS = new Set(['ReLU', 'LeakyReLU', 'ELU']);

/** Whether a layer is a model. */
export const isContainer = (layer: Layer): layer is Layer & LayersModel => 'layers' in layer && 'outputs' in layer;

/**
 * Reads a model's graph. Fails for models that are not built, keep states, or mask steps of sequences.
 *
 * @param kept class names of layers that do nothing at prediction time and get an operation all the same: the identity.
 */
export function readGraph(model: LayersModel, kept: ReadonlySet<string> = new Set()): E.Either<LaplaceError, Graph> {
  // tfjs finishes a sequential model at its first use after a layer was added. This is that use.
  if (!model.built && (model.outputs ?? []).length > 0) (model as Sequential).build();
  if (!model.built || !Array.isArray(model.outputs) || model.outputs.length === 0) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `Model '${model.name}' is not built`,
        remedy: 'Give its first layer an inputShape, or call build() or fit() first.',
      }),
    );
  }
  const builder = new GraphBuilder(kept);
  const scope = new Map<number, ValueId>();
  for (const input of model.inputs) scope.set(input.id, builder.fresh());
  const inputs = [...scope.values()];
  const outputs = model.outputs.map((tensor) => builder.value(tensor, scope));
  const stateful = builder.ops.find(({ layer }) => layer.stateful);
  if (stateful !== undefined) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `Layer '${stateful.layer.name}' keeps its states from one batch to the next`,
        layer: stateful.layer.name,
        found: `${stateful.layer.getClassName()} with stateful: true`,
        expected: 'layers whose outputs depend on their inputs alone',
        remedy: 'Build the model again with stateful: false and give it the same weights.',
      }),
    );
  }
  const masking = builder.ops.find(makesMask);
  if (masking !== undefined) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `Layer '${masking.layer.name}' makes a mask, which is not passed on to the layers above it`,
        layer: masking.layer.name,
        found: masking.layer.getClassName(),
        expected: 'a model without masks',
      }),
    );
  }
  return E.right({ ops: builder.ops, uses: builder.uses, inputs, outputs });
}

/** Masks travel from layer to layer beside the values. Predictions without them would differ from the model's. */
const makesMask = ({ layer }: Op): boolean =>
  layer.getClassName() === 'Masking' || (layer.getConfig() as { maskZero?: boolean }).maskZero === true;

/** Walks back from a symbolic tensor to the inputs and appends operations in the order in which they can run. */
class GraphBuilder {
  readonly ops: Op[] = [];
  readonly uses: LayerUse[] = [];
  private readonly kept: ReadonlySet<string>;
  private next = 0;

  constructor(kept: ReadonlySet<string>) {
    this.kept = kept;
  }

  fresh(): ValueId {
    return this.next++;
  }

  /** The value of a symbolic tensor. `scope` holds the values of the tensors of one (possibly inner) model. */
  value(tensor: SymbolicTensor, scope: Map<number, ValueId>): ValueId {
    const known = scope.get(tensor.id);
    if (known !== undefined) return known;
    const layer = tensor.sourceLayer as Layer;
    const node = layer.inboundNodes[tensor.nodeIndex] as unknown as LayerNode;
    const inputs = node.inputTensors.map((t) => this.value(t, scope));
    const outputs = this.lower(layer, node, inputs);
    node.outputTensors.forEach((t, i) => scope.set(t.id, outputs[i] as ValueId));
    return scope.get(tensor.id) as ValueId;
  }

  private lower(layer: Layer, node: LayerNode, inputs: ReadonlyArray<ValueId>): ReadonlyArray<ValueId> {
    const className = layer.getClassName();
    const [first] = inputs as [ValueId];
    if (isContainer(layer)) {
      const inner = new Map<number, ValueId>();
      layer.inputs.forEach((t, i) => inner.set(t.id, inputs[i] as ValueId));
      return layer.outputs.map((t) => this.value(t, inner));
    }
    if (IDENTITY.has(className) && !this.kept.has(className)) return [first];
    const alone = inputs.length === 1 && node.outputTensors.length === 1;
    const lowering = alone ? lowered(layer, shapeOf(node)) : undefined;
    if (lowering !== undefined) {
      const start = this.ops.length;
      const last = lowering(first, { fresh: () => this.fresh(), add: (op) => this.ops.push(op) });
      const ops = this.ops.slice(start);
      const result = this.activation(activated(layer), last, layer);
      const [activation] = this.ops.slice(start + ops.length);
      this.uses.push({ layer, ops, input: first, output: last, ...(activation === undefined ? {} : { activation }) });
      return [result];
    }
    if (className === 'Activation') return [this.activation(layer, first)];
    // The layer is called as `predict` calls it: without the arguments that it was applied with when the model was made.
    const apply = (xs: ReadonlyArray<tf.Tensor>): ReadonlyArray<tf.Tensor> => {
      const result = layer.apply(xs.length === 1 ? (xs[0] as tf.Tensor) : [...xs], { training: false });
      return (Array.isArray(result) ? result : [result]) as tf.Tensor[];
    };
    if (ELEMENTWISE_LAYERS.has(className)) {
      const output = this.fresh();
      this.ops.push({
        kind: 'elementwise',
        layer,
        form: className,
        apply: (z) => apply([z])[0] as tf.Tensor,
        input: first,
        output,
      });
      return [output];
    }
    // A softmax layer over the last axis computes the same as the softmax activation, so it can be a likelihood's link.
    const form = className === 'Softmax' && isLastAxis(layer, node) ? 'softmax' : className;
    const outputs = node.outputTensors.map(() => this.fresh());
    const reason = whyWhole(layer, shapeOf(node), alone);
    this.ops.push({ kind: 'opaque', layer, form, apply, inputs, outputs, ...(reason === undefined ? {} : { reason }) });
    return outputs;
  }

  /**
   * Appends the activation of `inner`, if it has one, and returns the value after it. `layer` is the layer of the graph around
   * `inner`.
   */
  private activation(inner: Layer, input: ValueId, layer = inner): ValueId {
    const activation = (inner as unknown as { activation: Activation | null }).activation;
    const form = activation?.getClassName() ?? 'linear';
    if (!activation || form === 'linear') return input;
    const output = this.fresh();
    const apply = (z: tf.Tensor): tf.Tensor => activation.apply(z);
    this.ops.push(
      isElementwise(form)
        ? { kind: 'elementwise', layer, form, apply, input, output }
        : { kind: 'opaque', layer, form, apply: ([z]) => [apply(z as tf.Tensor)], inputs: [input], outputs: [output] },
    );
    return output;
  }
}

/** Shape of a layer's first input, without the batch dimension. */
const shapeOf = (node: LayerNode): ReadonlyArray<number | null> => node.inputTensors[0]?.shape.slice(1) ?? [];

function isLastAxis(layer: Layer, node: LayerNode): boolean {
  const axis = (layer.getConfig() as { axis?: number }).axis ?? -1;
  const rank = node.inputTensors[0]?.rank;
  return axis === -1 || (rank !== undefined && axis === rank - 1);
}
