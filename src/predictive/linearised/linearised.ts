/**
 * The linearised (GLM) predictive, exact and without Jacobians: f ~ N(f*, Σ_l J_l C_l J_lᵀ) (Immer, Korzepa & Bauer 2021). J_l is
 * the Jacobian of f in the weights of layer l, and C_l is their covariance.
 *
 * With one position, the Jacobian of output c in a layer's W is a ⊗ g_c. With u = (a U_A)² [B, n] and v_c = g_c U_G [B, m],
 *
 *   (J C Jᵀ)_cc' = Σ_j v_cj v_c'j (u · T S²)_j.
 *
 * Cost: one backward pass of C·B stacked rows, and 2 B (n² + n m) + 2 B C m² operations for each layer. Memory: B·C·m numbers.
 * With T positions, Ĝ_c = Σ_t (a_t U_A)ᵀ (g_ct U_G) is computed and contracted in chunks of examples, with 2 B T n m C
 * operations. The parts of the groups are added. If only the last layer is covered, no backward pass is needed (`lastLayer.ts`).
 * The result is exact for the linearised network: it equals brute-force Jacobians up to rounding.
 */
import * as tf from '@tensorflow/tfjs-core';
import { forward, type Tape } from '../../network/forward.js';
import { endToEnd } from '../../network/gradients.js';
import type { Network } from '../../network/network.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import type { DeviceDirections, Want } from '../device/structure/structure.js';
import { lastOf, ofLast } from './lastLayer.js';
import { type Each, ofCoupled, ofUses } from './layerCovariances.js';
import { type Chunks, chunked, paired } from './outputParts.js';
import { outputSeeds, visitLayers } from './visitLayers.js';

/** The mean and covariance of the outputs f, before the link. */
export interface OutputDistribution {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** The covariances [B, C, C], or the variances [B, C] if only these were asked for. */
  readonly covariance: tf.Tensor;
}

/** The outputs f under several posteriors of one model and one curvature: they have the mean in common. */
export interface OutputDistributions {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** For each posterior the covariances [B, C, C], or the variances [B, C]. */
  readonly covariances: ReadonlyArray<tf.Tensor>;
}

/** The distribution of f for one batch. Allocates inside the caller's `tf.tidy`. */
export function linearised(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  want: Want,
  chunks: Chunks = {},
): OutputDistribution {
  const { mean, covariances } = linearisedUnder(network, [posterior], x, want, chunks);
  return { mean, covariance: covariances[0] as tf.Tensor };
}

/**
 * The distributions of f for one batch under several posteriors, which have the same layers with the same directions and differ in the
 * variances along them (`withPrior`, `withDamping`). There is one forward and one backward pass, and the gradients are rotated once.
 * A further posterior costs 2 B n m + B C² m operations for a layer with one position, and B C² n m for a layer with several.
 */
export function linearisedUnder(
  network: Network,
  posteriors: ReadonlyArray<DevicePosterior>,
  x: ReadonlyArray<tf.Tensor>,
  want: Want,
  chunks: Chunks = {},
): OutputDistributions {
  const tape = forward(network, x);
  const last = posteriors.map((posterior) => lastOf(network, posterior));
  const ends = last.filter((layer) => layer !== undefined);
  if (ends.length > 0) return { mean: tape.outputs, covariances: ends.map((layer) => ofLast(layer, tape, want)) };
  const of = (outputs: ReadonlyArray<number>): tf.Tensor[] =>
    tf.tidy(() => ofOutputs(network, posteriors, tape, outputs, want, chunks));
  return {
    mean: tape.outputs,
    covariances: want === 'variance' ? chunked(network.outputs, chunks, of) : paired(network.outputs, chunks, of),
  };
}

/** The covariances or variances of some outputs under each posterior, from one backward pass of their gradients. */
function ofOutputs(
  network: Network,
  posteriors: ReadonlyArray<DevicePosterior>,
  tape: Tape,
  outputs: ReadonlyArray<number>,
  want: Want,
  { numbers }: Chunks,
): tf.Tensor[] {
  const { size: B } = tape;
  const C = outputs.length;
  const [first, ...others] = posteriors as [DevicePosterior, ...DevicePosterior[]];
  const seeds = outputSeeds(outputs, network.outputs, B);
  let covariances: tf.Tensor[] = posteriors.map(() => tf.zeros(want === 'covariance' ? [B, C, C] : [B, C]));
  const add = (parts: () => ReadonlyArray<tf.Tensor>): void => {
    const previous = covariances;
    covariances = tf.tidy(() => parts().map((part, k) => tf.add(previous[k] as tf.Tensor, part)));
    tf.dispose(previous);
  };
  /** A layer's directions, and its variances under each posterior. The first posterior lends both at once. */
  const under = (layer: DeviceLayer, use: (vectors: DeviceDirections, each: Each) => tf.Tensor[]): tf.Tensor[] => {
    const at = first.layers.indexOf(layer);
    return layer.lend((form) => {
      const own = form.directions();
      const each: Each = (of) => [
        tf.tidy(() => of(own.variances)),
        ...others.map(({ layers }) =>
          (layers[at] as DeviceLayer).lend((other) => tf.tidy(() => of(other.directions().variances))),
        ),
      ];
      return use(own, each);
    });
  };
  visitLayers(network, first, tape, seeds, {
    own: (layer, block, uses) =>
      add(() => under(layer, (vectors, each) => ofUses(vectors, each, block, tape, uses, seeds.stack, want, numbers))),
    coupled: (layer, gradients) =>
      add(() =>
        under(layer, (vectors, each) =>
          ofCoupled(vectors, each, endToEnd(layer.blocks, tape, gradients, seeds.stack, numbers), tape.size, want),
        ),
      ),
  });
  return covariances;
}
