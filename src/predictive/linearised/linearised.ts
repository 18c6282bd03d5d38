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
import { concat } from '../../network/concat.js';
import { forward, type Tape } from '../../network/forward.js';
import { endToEnd } from '../../network/gradients.js';
import type { Network } from '../../network/network.js';
import { type DeviceLayer, type DevicePosterior, type Forms, ownForms } from '../device/device.js';
import { runningSum } from '../device/runningSum.js';
import type { DeviceForm, Want } from '../device/structure/structure.js';
import { type Jacobian, jacobianOfCoupled, jacobiansOfUses } from './jacobian.js';
import { jacobianOfLast, lastOf } from './lastLayer.js';
import { type Chunks, chunked, paired } from './outputParts.js';
import { outputSeeds, visitLayers } from './visitLayers.js';

/** The mean and covariance of the outputs f, before the link. */
export interface OutputDistribution {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** The covariances [B, C, C], or the variances [B, C] if only these were asked for. */
  readonly covariance: tf.Tensor;
}

/** The outputs f under K posteriors of one model and one curvature: they have the mean in common. */
export interface OutputDistributions {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** The covariances [K, B, C, C], or the variances [K, B, C]. */
  readonly covariances: tf.Tensor;
}

/** The distribution of f for one batch. Allocates inside the caller's `tf.tidy`. */
export function linearised(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  want: Want,
  chunks: Chunks = {},
): OutputDistribution {
  const { mean, covariances } = linearisedUnder(network, posterior, ownForms, x, want, chunks);
  return { mean, covariance: tf.squeeze(covariances, [0]) };
}

/**
 * The distributions of f for one batch under several posteriors, the forms. There is one forward and one backward pass, and the gradients
 * are rotated once. A further posterior costs 2 B (n m + C m) operations for a layer with one position, and 2 B C n m for a layer with
 * several; with covariances C times as many in the last factor.
 */
export function linearisedUnder(
  network: Network,
  posterior: DevicePosterior,
  forms: Forms,
  x: ReadonlyArray<tf.Tensor>,
  want: Want,
  chunks: Chunks = {},
): OutputDistributions {
  const tape = forward(network, x);
  const { count: K, lend } = forms;
  const last = lastOf(network, posterior);
  if (last !== undefined) {
    return { mean: tape.outputs, covariances: lend(last, (own) => jacobianOfLast(last, own[0], tape, want).under(own)) };
  }
  const of = (outputs: ReadonlyArray<number>): tf.Tensor =>
    tf.tidy(() => {
      const C = outputs.length;
      const sum = runningSum();
      sum.add(() => tf.zeros(want === 'covariance' ? [K, tape.size, C, C] : [K, tape.size, C]));
      visitJacobians(network, posterior, tape, outputs, want, chunks.numbers, (layer, jacobians) =>
        sum.add(() =>
          lend(layer, (own) =>
            concat(
              jacobians(own[0], ({ under }) => under(own)),
              1,
            ),
          ),
        ),
      );
      return sum.value();
    });
  return { mean: tape.outputs, covariances: (want === 'variance' ? chunked : paired)(network.outputs, chunks, of) };
}

/** The Jacobians of one batch of examples in all layers, kept on the device. */
export interface KeptJacobians {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** For each layer that has some: its Jacobians, for each block and each chunk of the examples. */
  readonly layers: ReadonlyMap<DeviceLayer, ReadonlyArray<ReadonlyArray<Jacobian>>>;
  /** How many numbers they have. */
  readonly numbers: number;
  readonly dispose: () => void;
}

/** Computes the Jacobians of one batch, to be taken under several posteriors one after the other. The caller disposes them. */
export function keptJacobians(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  want: Want,
  numbers?: number,
): KeptJacobians {
  const layers = new Map<DeviceLayer, Array<ReadonlyArray<Jacobian>>>();
  const kept: tf.Tensor[] = [];
  const dispose = (): void => tf.dispose(kept);
  const keep = <T extends tf.Tensor>(t: T): T => {
    kept.push(t);
    return tf.keep(t);
  };
  const visit: VisitJacobians = (layer, jacobians) => {
    const own: Jacobian[] = [];
    layer.lend((form) => {
      jacobians(form, (jacobian) => {
        jacobian.tensors.forEach(keep);
        own.push(jacobian);
      });
    });
    layers.set(layer, [...(layers.get(layer) ?? []), own]);
  };
  try {
    const mean = tf.tidy(() => {
      const tape = forward(network, x);
      const last = lastOf(network, posterior);
      const all = Array.from({ length: network.outputs }, (_, c) => c);
      if (last === undefined) visitJacobians(network, posterior, tape, all, want, numbers, visit);
      else visit(last, (form, take) => [take(jacobianOfLast(last, form, tape, want))]);
      // The network may hand out its outputs again.
      return keep(tf.clone(tape.outputs));
    });
    return { mean, layers, numbers: kept.reduce((sum, { size }) => sum + size, 0), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/**
 * For each batch the covariances [K, B, C, C] or variances [K, B, C] of the outputs under K forms. A layer is lent once for all batches.
 * Allocates inside the caller's `tf.tidy`.
 */
export function underForms(batches: ReadonlyArray<KeptJacobians>, { lend }: Forms): ReadonlyArray<tf.Tensor> {
  let sums: ReadonlyArray<tf.Tensor> | undefined;
  // Every batch has Jacobians in the same layers.
  for (const layer of batches[0]?.layers.keys() ?? []) {
    const previous = sums;
    sums = lend(layer, (own) =>
      batches.map(({ layers }, i) =>
        tf.tidy(() => {
          const blocks = (layers.get(layer) ?? []).map((chunks) =>
            concat(
              chunks.map(({ under }) => under(own)),
              1,
            ),
          );
          return [...(previous === undefined ? [] : [previous[i] as tf.Tensor]), ...blocks].reduce((a, b) => tf.add(a, b));
        }),
      ),
    );
    tf.dispose(previous as tf.Tensor[] | undefined);
  }
  return sums ?? [];
}

/**
 * Visits a layer. `jacobians` calls `take` with the Jacobians in one of its blocks, for one chunk of the examples after another, and gives
 * the results.
 */
type VisitJacobians = (
  layer: DeviceLayer,
  jacobians: <R extends tf.TensorContainer>(form: DeviceForm, take: (jacobian: Jacobian) => R) => ReadonlyArray<R>,
) => void;

/** Visits the Jacobians of some outputs in all layers, after one backward pass of their gradients. */
function visitJacobians(
  network: Network,
  posterior: DevicePosterior,
  tape: Tape,
  outputs: ReadonlyArray<number>,
  want: Want,
  numbers: number | undefined,
  visit: VisitJacobians,
): void {
  const seeds = outputSeeds(outputs, network.outputs, tape.size);
  const { stack } = seeds;
  visitLayers(network, posterior, tape, seeds, {
    own: (layer, block, uses) =>
      visit(layer, (form, take) =>
        jacobiansOfUses({ directions: form.directions(), want, numbers }, block, tape, uses, stack, take),
      ),
    coupled: (layer, gradients) =>
      visit(layer, (form, take) => {
        const rows = endToEnd(layer.blocks, tape, gradients, stack, numbers);
        return [take(jacobianOfCoupled(form.directions(), rows, tape.size, want))];
      }),
  });
}
