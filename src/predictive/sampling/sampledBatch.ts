/** One batch on the device, for many draws: cut into pieces of bounded size. What is the same for all draws is computed once a piece. */
import * as tf from '@tensorflow/tfjs-core';
import { type Features, features } from '../../network/forward.js';
import type { Network } from '../../network/network.js';
import type { LinearOp } from '../../network/ops.js';
import { reference } from '../../network/reference.js';
import { allFinite, downloadAll, inputsNotFinite, joined, pieceOf } from '../device/pieces.js';
import type { SampledPlan } from '../device/plans.js';
import { predicted } from '../report/heads.js';
import type { LocalMoments } from './activationSampling.js';

/** The values of one piece that no draw changes. */
export interface Fixed {
  readonly features: Features;
  /** Moments of the pre-activations of the lowest layers, where pre-activations are drawn. */
  readonly moments: ReadonlyMap<LinearOp, LocalMoments>;
}

/** A batch that draws can be made for. */
export interface SampledBatch {
  /** Predicts the batch with one drawn network: for every head [rows, P], see `reportSamples`. Rejects inputs that are not finite. */
  readonly draw: (outputsOf: (piece: Fixed, part: number) => tf.Tensor2D) => Promise<ReadonlyArray<Float32Array>>;
  /** Frees what the batch kept; `x` is the caller's. */
  readonly dispose: () => void;
}

/**
 * Cuts a batch as `plan` says. Where it is cut changes only the noise of activation sampling. The plan counts neither the posterior, nor
 * the drawn weights, nor what a single example takes.
 */
export function sampledBatch(
  network: Network,
  x: ReadonlyArray<tf.Tensor>,
  momentsOf: (own: Features) => Fixed['moments'],
  plan: SampledPlan,
): SampledBatch {
  const B = x[0]?.shape[0] as number;
  const step = plan.examples;
  const parts = Math.ceil(B / step);
  const kept = new Map<number, Fixed>();
  const tensors: tf.Tensor[] = [];
  let numbers = 0;
  let checked = false;

  const keep = <T extends tf.Tensor>(t: T): T => {
    const kept = reference(t);
    tensors.push(kept);
    return kept;
  };
  const fixedOf = (piece: ReadonlyArray<tf.Tensor>, part: number): Fixed => {
    const own = features(network, piece);
    const fixed = { features: own, moments: momentsOf(own) };
    numbers += [...own.values.values(), ...[...fixed.moments.values()].flatMap(Object.values)].reduce(
      (sum, t) => sum + t.size,
      0,
    );
    if (numbers > plan.kept) return fixed;
    const values = new Map([...own.values].map(([id, t]) => [id, keep(t)] as const));
    const moments = new Map(
      [...fixed.moments].map(([op, { mean, deviation }]) => [op, { mean: keep(mean), deviation: keep(deviation) }] as const),
    );
    kept.set(part, { features: { ...own, values }, moments });
    return fixed;
  };

  return {
    draw: async (outputsOf) => {
      const pieces: Float32Array[][] = [];
      for (let part = 0; part < parts; part++) {
        const sizes: number[] = [];
        const results = tf.tidy((): Record<string, tf.Tensor> => {
          const own = kept.get(part);
          const piece = own === undefined || !checked ? pieceOf(x, part * step, step) : [];
          const f = outputsOf(own ?? fixedOf(piece, part), part);
          const ofHeads = network.heads.map((head) =>
            tf.reshape(predicted(head, tf.slice(f, [0, head.first], [-1, head.outputs])), [-1]),
          );
          sizes.push(...ofHeads.map((t) => t.size));
          return { values: tf.concat(ofHeads), ...(checked ? {} : { finite: allFinite(piece) }) };
        });
        const { values, finite } = await downloadAll(results);
        if (finite?.[0] === 0) throw inputsNotFinite();
        pieces.push(cut(values as Float32Array, sizes));
      }
      checked = true;
      return network.heads.map((_, i) => joined(pieces.map((own) => own[i] as Float32Array)));
    },
    dispose: () => tf.dispose(tensors),
  };
}

/** Neighbouring parts of these sizes. */
const cut = (values: Float32Array, sizes: ReadonlyArray<number>): Float32Array[] =>
  sizes.map((size, i) => {
    const start = sizes.slice(0, i).reduce((sum, before) => sum + before, 0);
    return values.subarray(start, start + size);
  });
