/**
 * Taps into one training step. They capture layer inputs, pre-activation gradients dL/dz, and the batch's inputs and labels. tfjs
 * hands none of these to callbacks. The taps therefore wrap the `call` of layers and the model's loss functions, on the instances
 * and for the length of one `optimizer.minimize`, and put them back whatever happens.
 *
 * The wrapped step computes the same numbers in the same order: a tap is an identity whose gradient hands a copy to the observer.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type BlockRows, type Layer, type LayerUse, type Network, rowsOfUse } from 'tfjs-laplace/extend';
import { watched, watchUse } from './watch.js';

/** What the taps captured in one step. The tensors are kept until `dispose` frees them. */
export interface Captured {
  /**
   * For each block, by name, the rows of every call of its layer: inputs and gradients of the training loss, before the update.
   */
  readonly rows: Map<string, BlockRows[]>;
  /** z of each layer that makes an output, one for each call of the layer. */
  readonly preactivations: Map<Layer, tf.Tensor[]>;
  /** The batch's inputs, by their position in `model.inputs`. */
  readonly x: Map<number, tf.Tensor>;
  /** What the loss of each output was called with, in the model's order. */
  readonly losses: ReadonlyArray<CapturedLoss>;
  /** The error of a tap, if there was one. It ends the observation, and leaves training alone. */
  failure: unknown;
}

/** What one loss was called with, and its gradient. */
export interface CapturedLoss {
  labels?: tf.Tensor;
  outputs?: tf.Tensor;
  /**
   * dL/dloss. Training minimises the mean of the loss's numbers, so each entry is an example's weight divided by the number of
   * examples.
   */
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

/**
 * Installs taps on the layers that read the model's inputs and on the losses.
 *
 * @param rows Whether to tap the layers with blocks as well, for rows of curvature.
 */
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
  // Rows of layers with several operations need a differentiation of their own. It must run after the step's gradients, since
  // tfjs cannot nest it there, and before the step's update, which moves the weights.
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
  /** The layer's first use. It stands for all uses of the layer. */
  readonly use: LayerUse;
  readonly covered: boolean;
  /** Whether the layer makes an output of the network, before its link. */
  readonly last: boolean;
}

/** Every layer that has blocks or makes an output. */
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

/**
 * Replaces a method on the instance. The returned function restores the method, whether it was the instance's own or inherited.
 */
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

/**
 * Layers that read inputs of the model, and at which argument. All uses must read the same, since a call does not say which use
 * it is.
 */
function inputReaders(model: LayersModel): ReadonlyMap<Layer, ReadonlyArray<Read>> {
  const readers = new Map<Layer, ReadonlyArray<Read>>();
  // tfjs numbers all uses of a layer, including uses in other models. The container lists the uses within this model.
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
