/**
 * A batch on its way from training (or from a data set) to factors. Its tensors are reached through `use` only, so that nobody
 * holds them longer than they live.
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { inputTensors, type LabelledBatch, labelTensors, partsOf, weightTensor } from '../network/inputs.js';
import type { Network } from '../network/network.js';
import type { BlockRows } from '../network/uses.js';

/** The tensors of a batch, while they live. */
export interface BatchTensors {
  readonly x: ReadonlyArray<tf.Tensor>;
  /** Labels of each output of the model, in its order. */
  readonly y: ReadonlyArray<tf.Tensor>;
  /** By layer name: only for batches of a training step that was tapped for `empirical`. */
  readonly rows?: ReadonlyMap<string, BlockRows>;
  /** How often each example counts, [B]; once without. */
  readonly weights?: tf.Tensor1D;
  /** Outputs f [B, C] before the links, where the training step gave them. */
  readonly outputs?: tf.Tensor2D;
}

/** One observed batch. */
export interface ObservedBatch {
  readonly network: Network;
  /** 0-based epoch of training; 0 for a pass. */
  readonly epoch: number;
  /** 0-based number of the batch within its epoch. */
  readonly index: number;
  /** True when the tensors live only while the batch is being emitted (a training step); consumers must not wait. */
  readonly transient: boolean;
  /** Hands the tensors to `f` inside a `tf.tidy`; what `f` wants to keep it must `tf.keep`. Throws a `LaplaceError`. */
  readonly use: <R extends tf.TensorContainer>(f: (tensors: BatchTensors) => R) => R;
}

/** A batch with something to free once it has been used: the elements of `fromDataset`. */
export interface OwnedBatch {
  readonly batch: LabelledBatch;
  readonly dispose: () => void;
}

/** A batch, or a function that makes one when its turn comes (so that a whole data set is never on the device at once). */
export type BatchSource = LabelledBatch | (() => LabelledBatch | OwnedBatch);

/** A batch of a pass over data, for a network at fixed weights. Shapes are checked when it is used. */
export const observedBatch = (network: Network, source: BatchSource, index: number): ObservedBatch => ({
  network,
  epoch: 0,
  index,
  transient: false,
  use: (f) => {
    let dispose = (): void => {};
    try {
      return tf.tidy(() => {
        const made = typeof source === 'function' ? source() : source;
        const owned = isOwned(made);
        if (owned) dispose = made.dispose;
        const { x: inputs, y: labels, weights: counts } = partsOf(owned ? made.batch : made);
        const x = orThrow(inputTensors(network, inputs));
        const size = x[0]?.shape[0] as number;
        const y = orThrow(labelTensors(network, labels, size));
        const weights = orThrow(weightTensor(counts, size));
        return f({ x, y, ...(weights === undefined ? {} : { weights }) });
      });
    } finally {
      dispose();
    }
  },
});

const isOwned = (made: LabelledBatch | OwnedBatch | undefined): made is OwnedBatch => made !== undefined && 'batch' in made;

/** The batch of a training step: usable until `expire` is called. */
export function transientBatch(
  network: Network,
  position: { readonly epoch: number; readonly index: number },
  tensors: BatchTensors,
): { readonly batch: ObservedBatch; readonly expire: () => void } {
  let live = true;
  const batch: ObservedBatch = {
    network,
    ...position,
    transient: true,
    use: (f) => {
      if (!live) {
        throw laplaceError('NotReady', {
          what: `Batch ${position.index} of epoch ${position.epoch} is gone`,
          found: 'use() after the training step ended',
          expected: 'use() while the batch is being emitted',
          remedy: 'Work on it synchronously, or clone and keep what you need.',
        });
      }
      return tf.tidy(() => f(tensors));
    },
  };
  const expire = (): void => {
    live = false;
  };
  return { batch, expire };
}

/** The value, or its error thrown: for code that runs inside `tf.tidy`, under an operator that catches it. */
export function orThrow<A>(value: E.Either<LaplaceError, A>): A {
  if (E.isLeft(value)) throw value.left;
  return value.right;
}
