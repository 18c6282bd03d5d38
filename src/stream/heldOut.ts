/**
 * Reads held-out batches: their labels and the outputs of the trained network once, and what is uncertain about the outputs under any
 * posteriors.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../errors.js';
import { fromDevice } from '../network/device.js';
import type { Network } from '../network/network.js';
import { reference } from '../network/reference.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Predictive } from '../predictive/codec.js';
import { joined } from '../predictive/device/pieces.js';
import type { EachBatch } from '../predictive/linearised/candidates.js';
import type { HeldOut, Uncertainty } from '../tuning/held.js';
import type { Truth } from '../tuning/losses.js';
import { checkLabels, labelFlags } from './health.js';
import { type BatchSource, observedBatch } from './observed.js';
import { joinedTruths, type TruthTensors, truthsOf, truthTensors } from './truths.js';
import { uncertain, type Wanted } from './uncertain.js';

/** Held-out examples. The caller disposes them. */
export interface Examples {
  /** The number of examples. */
  readonly N: number;
  readonly outputs: ReadonlyArray<HeldOut>;
  /** What is uncertain about their outputs, one candidate after another. Throws the errors of `predict`. */
  readonly under: (wanted: ReadonlyArray<Wanted>) => AsyncIterable<ReadonlyArray<Uncertainty>>;
  /** Whether f − f* goes with the square root of the spread, so that no other spread has to be asked for. */
  readonly isLinear: boolean;
  readonly dispose: () => void;
}

/** What the examples are read for. */
export interface HeldOutOptions {
  /** One of the posteriors that the examples will be taken under. */
  readonly posterior: Posterior;
  readonly predictive: Predictive;
  readonly memoryBudget: number;
  /** Called after each batch that is read for the first time. */
  readonly onBatch: (done: number) => void;
  /** Awaited after each batch that is read again. What it throws ends the work. */
  readonly breathe: () => Promise<void>;
}

/**
 * Reads all batches.
 *
 * Rejects with the errors of `predict`, with `InvalidLabels` and `NotFinite` for labels, and with `Empty` if there are no examples.
 */
export async function readHeldOut(network: Network, sources: ReadonlyArray<BatchSource>, own: HeldOutOptions): Promise<Examples> {
  const { heads } = network;
  const candidates = uncertain(network, sources.length, own.posterior, own.predictive, own.memoryBudget);
  const parts: Part[] = [];
  try {
    for (const [index, source] of sources.entries()) {
      const { x, truths, flags } = labelled(network, source, index);
      try {
        checkLabels(network, await fromDevice(flags.data()), `held-out batch ${index}`);
        const means = await candidates.read(x);
        parts.push({ size: x[0]?.shape[0] as number, means, truths: await truthsOf(network, truths) });
      } finally {
        tf.dispose([x, truths, flags] as tf.TensorContainer);
      }
      own.onBatch(index + 1);
    }
    if (parts.length === 0) throw nothingHeldOut();
  } catch (error) {
    candidates.dispose();
    throw error;
  }
  const again: EachBatch = async (use) => {
    for (const [index, source] of sources.entries()) {
      const x = inputsOf(network, source, index);
      await use(x, index).finally(() => tf.dispose(x));
      await own.breathe();
    }
  };
  const joinedLabels = joinedTruths(parts.map(({ truths }) => truths));
  return {
    N: parts.reduce((sum, { size }) => sum + size, 0),
    outputs: heads.map((head, h) => ({
      head,
      mean: joined(parts.map(({ means }) => means[h] as Float32Array)),
      truth: joinedLabels[h] as Truth,
    })),
    under: (wanted) => candidates.under(wanted, again),
    isLinear: candidates.isLinear,
    dispose: candidates.dispose,
  };
}

/** What one batch gave. */
interface Part {
  readonly size: number;
  readonly means: ReadonlyArray<Float32Array>;
  readonly truths: ReadonlyArray<Truth>;
}

/** The tensors of a batch, which live until they are disposed. */
const labelled = (
  network: Network,
  source: BatchSource,
  index: number,
): { x: tf.Tensor[]; truths: TruthTensors[]; flags: tf.Tensor } =>
  observedBatch(network, source, index).use(({ x, y, weights }) => {
    if (weights !== undefined) throw weighted();
    return {
      x: x.map(reference),
      truths: truthTensors(network, y),
      // What `labelFlags` says of the labels.
      flags: tf.stack([...labelFlags(network, y)]),
    };
  });

/** The inputs of a batch, which live until they are disposed. */
const inputsOf = (network: Network, source: BatchSource, index: number): tf.Tensor[] =>
  observedBatch(network, source, index).use(({ x }) => x.map(reference));

const nothingHeldOut = (): LaplaceError =>
  laplaceError('Empty', {
    what: 'tune needs held-out examples',
    field: 'heldOut',
    found: 'no batch',
    expected: 'at least two examples that the model was not trained on',
  });

const weighted = (): LaplaceError =>
  laplaceError('InvalidInput', {
    what: 'Held-out examples count once each',
    field: 'weights',
    found: 'weights of examples',
    expected: 'no weights',
  });
