/**
 * A batch on its way from training (or from a data set) to factors. Consumers reach its tensors only through `use`, so that
 * nobody holds them longer than they live.
 */
import * as tf from '@tensorflow/tfjs-core';
import { hasFields, type Kind } from '../codec/index.js';
import { laplaceError } from '../errors.js';
import { inputTensors, type LabelledBatch, partsOf } from '../network/inputs.js';
import { labelTensors, weightTensor } from '../network/labels.js';
import type { Network } from '../network/network.js';
import type { BlockRows } from '../network/uses.js';
import { orThrow } from '../orThrow.js';

/** The tensors of a batch, while they live. */
export interface BatchTensors {
  readonly x: ReadonlyArray<tf.Tensor>;
  /** Labels of each output, in the model's order. */
  readonly y: ReadonlyArray<tf.Tensor>;
  /** Rows of curvature by block name. Only batches of a training step that was tapped for `empirical` have them. */
  readonly rows?: ReadonlyMap<string, BlockRows>;
  /** How often each example counts, [B]. Without weights each counts once. */
  readonly weights?: tf.Tensor1D;
  /** Outputs f [B, C] before the links, if the training step showed them. */
  readonly outputs?: tf.Tensor2D;
}

/** One observed batch. */
export interface ObservedBatch {
  readonly network: Network;
  /** The epoch of training, numbered from 0. A pass over data is epoch 0. */
  readonly epoch: number;
  /** The batch's number within its epoch, from 0. */
  readonly index: number;
  /** Whether the tensors live only while the batch is being emitted (a training step). Consumers must then not wait. */
  readonly transient: boolean;
  /**
   * Calls `f` with the tensors inside a `tf.tidy`. To keep a tensor, `f` returns it or calls `tf.keep`. Throws a `LaplaceError`.
   */
  readonly use: <R extends tf.TensorContainer>(f: (tensors: BatchTensors) => R) => R;
}

/** Observed batches, told apart from batches that nobody observes. */
export const OBSERVED: Kind<ObservedBatch> = {
  name: 'an observed batch',
  is: (value): value is ObservedBatch => hasFields('network', 'use')(value),
  remedies: [{ is: () => true, remedy: 'Send the batches through observe(model, likelihood) first.' }],
};

/** A batch that must be freed once it has been used, such as an element of `fromDataset`. */
export interface OwnedBatch {
  readonly batch: LabelledBatch;
  readonly dispose: () => void;
}

/** A batch, or a function that makes one when its turn comes, so that a whole data set is never on the device at once. */
export type BatchSource = LabelledBatch | (() => LabelledBatch | OwnedBatch);

/** A batch of a pass over data at fixed weights. Shapes are checked when the batch is used. */
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

const isOwned = (made: LabelledBatch | OwnedBatch | undefined): made is OwnedBatch => hasFields('batch', 'dispose')(made);

/** The batch of a training step. It can be used until `expire` is called. */
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
