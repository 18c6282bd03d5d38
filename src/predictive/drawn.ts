/** The outputs f of networks or functions that are drawn from a posterior, before the scale and before the likelihood's link. */
import * as tf from '@tensorflow/tfjs-core';
import type { Head, Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Predictive } from './codec.js';
import { sampledFunctions } from './linearised/functions.js';
import type { Readout } from './sampling/sampledBatch.js';
import { createSampler } from './sampling/sampler.js';

/** A predictive that averages draws. */
export type DrawnPredictive = Exclude<Predictive, { readonly _tag: 'linearised' }>;

/** For each output of the model: f of every draw, S arrays of B · outputs numbers. */
export type Draws = ReadonlyArray<ReadonlyArray<Float32Array>>;

/** The draws of a posterior. The caller disposes them. */
export interface DrawnOutputs {
  /** The draws that `predict` averages for batch number `index`. Rejects with `NotFinite` for inputs that are not finite. */
  readonly at: (x: ReadonlyArray<tf.Tensor>, index: number) => Promise<Draws>;
  readonly dispose: () => void;
}

/** f itself. */
const OUTPUTS: Readout = { of: (_, f) => f, shift: undefined };

/**
 * The draws of a predictive, all `samples` of them.
 *
 * @param memoryBudget in bytes, as for `createPredictor`
 */
export function drawnOutputs(
  network: Network,
  posterior: Posterior,
  predictive: DrawnPredictive,
  memoryBudget: number,
): DrawnOutputs {
  const { heads } = network;
  const { samples } = predictive;
  if (predictive._tag === 'functionSampling') {
    const functions = sampledFunctions(network, posterior, predictive, memoryBudget);
    return {
      at: async (x) => {
        const { outputs } = await functions.run(x, ({ values }) => ({
          outputs: heads.map((head) => tf.slice(values, [0, 0, head.first], [-1, -1, head.outputs])),
        }));
        return outputs.map((own, h) => byDraw(own, samples, (heads[h] as Head).outputs));
      },
      dispose: functions.dispose,
    };
  }
  const sampler = createSampler(network, posterior, predictive, memoryBudget);
  return {
    at: async (x, index) => {
      const batch = sampler.open(x, index, OUTPUTS);
      const all: ReadonlyArray<Float32Array>[] = [];
      try {
        for (let s = 0; s < samples; s++) all.push(await batch.draw(s));
      } finally {
        batch.dispose();
      }
      return heads.map((_, h) => all.map((own) => own[h] as Float32Array));
    },
    dispose: sampler.dispose,
  };
}

/** Cuts values [B, S, C] into one array for each draw. */
const byDraw = (values: Float32Array, S: number, C: number): ReadonlyArray<Float32Array> =>
  Array.from({ length: S }, (_, s) => {
    const own = new Float32Array(values.length / S);
    for (let b = 0; b * C < own.length; b++) own.set(values.subarray((b * S + s) * C, (b * S + s + 1) * C), b * C);
    return own;
  });
