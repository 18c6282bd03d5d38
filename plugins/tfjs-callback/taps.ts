/**
 * Taps into one training step: layer inputs, pre-activation gradients dL/dz, the batch's inputs and labels. tfjs hands none
 * of them to callbacks, so for the length of one `optimizer.minimize` the `call` of the layers concerned and the model's loss
 * functions are wrapped on the instance, and put back whatever happens.
 *
 * The wrapped step computes the same numbers in the same order: a tap is an identity with a gradient that looks at what passes.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type BlockRows, type Layer, type LayerUse, type Network, rowsOfUse } from 'tfjs-laplace';
import { watched, watchUse } from './watch.js';

/** What one step let through. Tensors are kept: `dispose` frees them. */
export interface Captured {
  /** By block, one for each call of its layer: inputs, and gradients of the training loss, as they were before the update. */
  readonly rows: Map<string, BlockRows[]>;
  /** z of the layers that make the outputs, one for each of a layer's calls. */
  readonly preactivations: Map<Layer, tf.Tensor[]>;
  /** By position in `model.inputs`. */
  readonly x: Map<number, tf.Tensor>;
  /** What the loss of each output of the model saw, in the model's order. */
  readonly losses: ReadonlyArray<CapturedLoss>;
  /** What went wrong with the taps: the observation's matter, not training's. */
  failure: unknown;
}

/** What passed one loss. */
export interface CapturedLoss {
  labels?: tf.Tensor;
  outputs?: tf.Tensor;
  /** dL/dloss: training minimises the mean of the losses' sum, so it is 1 over the count of its numbers times an example's weight. */
  gradient?: tf.Tensor;
}

/** Taps that are in place. */
export interface Taps {
  readonly captured: Captured;
  /** Puts everything back. */
  readonly remove: () => void;
  readonly dispose: () => void;
}

type Call = (inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>) => tf.Tensor | tf.Tensor[];
type Updating = { applyGradients: (gradients: unknown) => void };
type LossFunction = (labels: tf.Tensor, outputs: tf.Tensor) => tf.Tensor;

/** Installs taps on the layers that read the model's inputs, on the losses and, for `rows`, on every layer with blocks. */
export function installTaps(network: Network, rows: boolean): Taps {
  const { model } = network;
  const captured: Captured = {
    rows: new Map(),
    preactivations: new Map(),
    x: new Map(),
    losses: model.outputs.map(() => ({})),
    failure: undefined,
  };
  const kept: tf.Tensor[] = [];
  const hold = <T extends tf.Tensor>(t: T): T => {
    const own = tf.keep(tf.clone(t));
    kept.push(own);
    return own;
  };
  const undo: Array<() => void> = [];

  const waiting: Array<() => void> = [];
  const gather = (use: LayerUse, x: tf.Tensor, gradient: tf.Tensor): void =>
    tf.tidy(() => {
      for (const [name, { input, gradient: g }] of rowsOfUse(network, use, x, gradient)) {
        captured.rows.set(name, [...(captured.rows.get(name) ?? []), { input: hold(input), gradient: hold(g) }]);
      }
    });
  for (const { use, covered, last } of rows ? tappedUses(network) : []) {
    undo.push(
      wrapMethod(calling(use.layer), 'call', (call) => (inputs, kwargs) => {
        const x = hold(single(inputs));
        return watchUse(use, () => call(inputs, kwargs) as tf.Tensor, {
          hold,
          preactivation: (z) => {
            if (last) captured.preactivations.set(use.layer, [...(captured.preactivations.get(use.layer) ?? []), hold(z)]);
          },
          gradient: (seen, g) => {
            if (!covered) return;
            const own = hold(g);
            waiting.push(() => gather(seen, x, own));
          },
        });
      }),
    );
  }
  // Layers with several operations are differentiated once more on their own: after the step's gradients, which tfjs cannot interrupt,
  // and before its update, which moves the weights.
  undo.push(
    wrapMethod(model.optimizer as unknown as Updating, 'applyGradients', (apply) => (gradients) => {
      try {
        for (const work of waiting.splice(0)) work();
      } catch (error) {
        captured.failure = error;
      }
      apply(gradients);
    }),
  );
  for (const [layer, reads] of inputReaders(model)) {
    undo.push(
      wrapMethod(calling(layer), 'call', (call) => (inputs, kwargs) => {
        const list = Array.isArray(inputs) ? inputs : [inputs];
        for (const { argument, input } of reads) captured.x.set(input, hold(list[argument] as tf.Tensor));
        return call(inputs, kwargs);
      }),
    );
  }
  const losses = model.lossFunctions as unknown as LossFunction[];
  for (const [i, seen] of captured.losses.entries()) {
    const original = losses[i] as LossFunction;
    losses[i] = (labels, outputs) => {
      seen.labels = hold(labels);
      seen.outputs = hold(outputs);
      return watched(original(labels, outputs), (dy) => {
        seen.gradient = hold(dy);
      });
    };
    undo.push(() => {
      losses[i] = original;
    });
  }

  return {
    captured,
    remove: () => {
      for (const step of undo.reverse()) step();
    },
    dispose: () => tf.dispose(kept),
  };
}

interface TappedUse {
  /** The layer's first use, which stands for all of them. */
  readonly use: LayerUse;
  readonly covered: boolean;
  /** Whether the layer makes an output, before its link. */
  readonly last: boolean;
}

/** Every layer with blocks, and those that make the outputs. */
function tappedUses({ uses, blocks, ends }: Network): ReadonlyArray<TappedUse> {
  return uses
    .filter(({ layer }, i) => uses.findIndex((other) => other.layer === layer) === i)
    .map((use) => ({
      use,
      covered: blocks.some(({ layer }) => layer === use.layer),
      last: uses.some((other) => other.layer === use.layer && ends.includes(other.output)),
    }))
    .filter(({ covered, last }) => covered || last);
}

/** Replaces a method on the instance; the returned function restores what was there, own property or prototype's. */
function wrapMethod<K extends string, M extends (...args: never[]) => unknown>(
  target: Record<K, M>,
  name: K,
  wrap: (method: M) => M,
): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  target[name] = wrap(target[name].bind(target) as M);
  return () => {
    if (own) Object.defineProperty(target, name, own);
    else delete (target as Partial<Record<K, M>>)[name];
  };
}

const calling = (layer: Layer): { call: Call } => layer as unknown as { call: Call };

interface Read {
  readonly argument: number;
  readonly input: number;
}

/** Whether every input of the model can be caught on its way into a layer. */
export function readsAllInputs(model: LayersModel): boolean {
  const caught = new Set([...inputReaders(model).values()].flatMap((reads) => reads.map(({ input }) => input)));
  return caught.size === model.inputs.length;
}

/** Layers that read the model's inputs, and at which argument: the same in all their uses, since a call doesn't say which it is. */
function inputReaders(model: LayersModel): ReadonlyMap<Layer, ReadonlyArray<Read>> {
  const readers = new Map<Layer, ReadonlyArray<Read>>();
  // tfjs numbers the uses of a layer; those within this model are the container's.
  const { containerNodes } = model as unknown as { readonly containerNodes: ReadonlySet<string> };
  for (const layer of model.layers.filter((l) => l.getClassName() !== 'InputLayer')) {
    const uses = layer.inboundNodes
      .filter((_, use) => containerNodes.has(`${layer.name}_ib-${use}`))
      .map((node) => node.inputTensors.map((t) => model.inputs.findIndex((i) => i.id === t.id)));
    const [first = []] = uses;
    const reads = first.flatMap((input, argument) => (input < 0 ? [] : [{ argument, input }]));
    if (reads.length > 0 && uses.every((use) => String(use) === String(first))) readers.set(layer, reads);
  }
  return readers;
}

const single = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs);
