/**
 * One batch on the device, for many draws. It is cut into pieces of bounded size. Whatever is the same for all draws is computed
 * once for each piece, as far as memory allows.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Features, features, forwardFrom, mapRule } from '../../network/forward.js';
import type { Head, Network } from '../../network/network.js';
import type { LinearOp } from '../../network/ops.js';
import { reference } from '../../network/reference.js';
import { allFinite, downloadAll, inputsNotFinite, joined, pieceOf } from '../device/pieces.js';
import type { SampledPlan } from '../device/plans.js';
import type { Shift } from '../report/scale.js';
import type { LocalMoments } from './activationSampling.js';

/** The parts of one piece that no draw changes. */
export interface Fixed {
  readonly features: Features;
  /** The moments of the lowest layers whose pre-activations are drawn. */
  readonly moments: ReadonlyMap<LinearOp, LocalMoments>;
  /** What is added to the outputs of every draw, [B, C]. */
  readonly shift: tf.Tensor2D | undefined;
}

/** What is read of the outputs f of a draw. */
export interface Readout {
  /** What is downloaded for a head, from its f [B, outputs]. */
  readonly of: (head: Head, f: tf.Tensor2D) => tf.Tensor;
  /** What is added to f before. It comes from the outputs of the trained network. */
  readonly shift: Shift | undefined;
}

/** A batch for which draws can be made. */
export interface SampledBatch {
  /**
   * What is read of one drawn network for the batch, for every head. `outputsOf` computes the outputs f of piece number `part`. Rejects if
   * an input is not finite.
   */
  readonly draw: (outputsOf: (piece: Fixed, part: number) => tf.Tensor2D) => Promise<ReadonlyArray<Float32Array>>;
  /** Frees the kept tensors. `x` belongs to the caller. */
  readonly dispose: () => void;
}

/**
 * Cuts a batch as `plan` says. A piece has at least one example. Where a batch is cut changes the noise of activation sampling only.
 */
export function sampledBatch(
  network: Network,
  x: ReadonlyArray<tf.Tensor>,
  momentsOf: (own: Features) => Fixed['moments'],
  plan: SampledPlan,
  read: Readout,
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
    const shift = read.shift?.(forwardFrom(network, own, mapRule).outputs);
    const fixed = { features: own, moments: momentsOf(own), shift };
    const all = [...own.values.values(), ...[...fixed.moments.values()].flatMap(Object.values), ...(shift ? [shift] : [])];
    numbers += all.reduce((sum, t) => sum + t.size, 0);
    if (numbers > plan.kept) return fixed;
    const values = new Map([...own.values].map(([id, t]) => [id, keep(t)] as const));
    const moments = new Map(
      [...fixed.moments].map(([op, { mean, deviation }]) => [op, { mean: keep(mean), deviation: keep(deviation) }] as const),
    );
    kept.set(part, { features: { ...own, values }, moments, shift: shift && keep(shift) });
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
          const fixed = own ?? fixedOf(piece, part);
          const drawn = outputsOf(fixed, part);
          const f = fixed.shift === undefined ? drawn : (tf.add(drawn, fixed.shift) as tf.Tensor2D);
          const ofHeads = network.heads.map((head) =>
            tf.reshape(read.of(head, tf.slice(f, [0, head.first], [-1, head.outputs])), [-1]),
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

/** Cuts `values` into parts of these sizes, one after another. */
const cut = (values: Float32Array, sizes: ReadonlyArray<number>): Float32Array[] =>
  sizes.map((size, i) => {
    const start = sizes.slice(0, i).reduce((sum, before) => sum + before, 0);
    return values.subarray(start, start + size);
  });
