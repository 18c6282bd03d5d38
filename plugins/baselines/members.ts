/**
 * Predictions of several networks, averaged with equal weights. The networks come one after another and each predicts all batches, so
 * that one network at a time has to be there. Cost: M forward passes. Memory on the host: a few numbers for each prediction.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type InputSource, orThrow } from 'tfjs-laplace';
import {
  deviceError,
  forward,
  fromDevice,
  type Mixture,
  mixture,
  type Network,
  networkMoments,
  ofHeads,
  ownInputs,
} from 'tfjs-laplace/extend';
import type { BaselinePrediction } from './baseline.js';

/** M networks of one kind. */
export interface Members {
  /** M. */
  readonly count: number;
  /**
   * Network number m as it predicts batch number i. The networks are asked for in ascending order of m, and one is used only until the
   * next is asked for.
   */
  readonly at: (m: number, i: number) => Network;
}

/** The mixture of all members for each batch. Rejects with `InvalidInput`, `Empty`, `NotFinite` and `Backend`. */
export async function averaged(
  { count, at }: Members,
  inputs: ReadonlyArray<InputSource>,
): Promise<ReadonlyArray<BaselinePrediction>> {
  const mixtures: Mixture[][] = inputs.map(() => []);
  try {
    for (let m = 0; m < count; m++) {
      for (const [i, source] of inputs.entries()) {
        const network = at(m, i);
        const moments = await momentsOf(network, source);
        network.heads.forEach((head, h) => {
          const { values, rows } = moments[h] as HeadMoments;
          const own = mixtures[i] as Mixture[];
          own[h] ??= mixture(head, rows, values.length / rows);
          own[h].add(values);
        });
      }
    }
  } catch (error) {
    throw deviceError(error);
  }
  return Promise.all(mixtures.map((own, i) => ofHeads(at(count - 1, i), (_head, h) => (own[h] as Mixture).report())));
}

/** What one network predicts for the rows of one head. */
interface HeadMoments {
  readonly values: Float32Array;
  readonly rows: number;
}

async function momentsOf(network: Network, source: InputSource): Promise<ReadonlyArray<HeadMoments>> {
  const x = orThrow(ownInputs(network, source));
  try {
    const parts = tf.tidy(() => {
      const { outputs: f } = forward(network, x);
      return network.heads.map((head) => networkMoments(head, tf.slice(f, [0, head.first], [-1, head.outputs])));
    });
    try {
      const values = await fromDevice(Promise.all(parts.map((part) => part.data())));
      return values.map((own, h) => ({ values: own as Float32Array, rows: parts[h]?.shape[0] as number }));
    } finally {
      tf.dispose(parts);
    }
  } finally {
    tf.dispose(x);
  }
}
