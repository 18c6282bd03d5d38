/**
 * The linearised (GLM) predictive, exact and without Jacobians: f ~ N(f*, Σ_l J_l C_l J_lᵀ) (Immer, Korzepa & Bauer 2021).
 *
 * At one position the Jacobian of output c in a layer's W is a ⊗ g_c; with u = (a U_A)² [B, n] and v_c = g_c U_G [B, m],
 *
 *   (J C Jᵀ)_cc' = Σ_j v_cj v_c'j (u · T S²)_j.
 *
 * Cost: one backward pass of C·B stacked rows, and 2 B (n² + n m) + 2 B C m² operations a layer. Memory: B·C·m numbers.
 * Where an example meets the weights at T positions, Ĝ_c = Σ_t (a_t U_A)ᵀ (g_ct U_G) is contracted in chunks of examples:
 * 2 B T n m C operations. Groups add up. The last layer alone needs no way back: see `lastLayer.ts`. Exact for the linearised network: it equals brute-force Jacobians up to rounding.
 */
import * as tf from '@tensorflow/tfjs-core';
import { jointGradients } from '../curvature/estimator.js';
import { backward } from '../network/backward.js';
import { forward, type Tape } from '../network/forward.js';
import { mapWeightGradients, ownGradients, rotate, sameTokens, summedByToken } from '../network/gradients.js';
import type { Block, Network } from '../network/network.js';
import { gradientsAt, inputsAt } from '../network/positions.js';
import { type Stack, uniformSeeds } from '../network/stack.js';
import type { DeviceLayer, DevicePosterior } from './device.js';
import { lastOf, ofLast } from './lastLayer.js';

/** Mean and covariance of the outputs f before the link. */
export interface OutputDistribution {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** [B, C, C], or [B, C] when only variances were asked for. */
  readonly covariance: tf.Tensor;
}

type Want = 'covariance' | 'variance';

/** The distribution of f for one batch. Allocates inside the caller's `tf.tidy`. */
export function linearised(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  want: Want,
): OutputDistribution {
  const tape = forward(network, x);
  const { size: B, outputs } = tape;
  const last = lastOf(network, posterior);
  if (last !== undefined) return { mean: outputs, covariance: ofLast(last, tape, want) };
  const C = network.outputs;
  const seeds = uniformSeeds(tf.tile(tf.reshape(tf.eye(C), [C, 1, C]), [1, B, 1]) as tf.Tensor3D);
  const own = new Map(
    posterior.layers.flatMap((layer) => (layer.joint ? [] : layer.blocks.map((block) => [block, layer] as const))),
  );
  const joint = new Map<Block, tf.Tensor4D>();
  let covariance: tf.Tensor = tf.zeros(want === 'covariance' ? [B, C, C] : [B, C]);
  const add = (part: () => tf.Tensor): void => {
    const previous = covariance;
    covariance = tf.tidy(() => tf.add(previous, part()));
    previous.dispose();
  };
  backward(network, tape, seeds, (block, uses) => {
    const layer = own.get(block);
    if (layer === undefined) joint.set(block, gradientsAt(block, uses));
    else add(() => ofUses(layer, block, tape, uses, seeds.stack, want));
  });
  for (const layer of posterior.layers.filter((l) => l.joint)) add(() => ofJoint(layer, tape, joint, seeds.stack, want));
  return { mean: outputs, covariance };
}

function ofUses(
  layer: DeviceLayer,
  block: Block,
  tape: Tape,
  uses: ReadonlyArray<tf.Tensor>,
  stack: Stack,
  want: Want,
): tf.Tensor {
  const plain = layer.inputVectors === undefined && layer.gradientVectors === undefined;
  const own = plain ? ownGradients(block, tape, uses, stack) : undefined;
  if (own === undefined) return ofBlock(layer, block, tape, gradientsAt(block, uses), stack, want);
  const [P, R, n, m] = own.shape;
  const rows = tf.reshape(tf.transpose(own, [1, 0, 2, 3]), [R / tape.size, tape.size, P * n * m]);
  return contracted(tf.mul(rows, tf.reshape(layer.variances, [1, 1, P * n * m])), rows, want);
}

/** What one block's weights add to the covariance. */
function ofBlock(layer: DeviceLayer, block: Block, tape: Tape, g: tf.Tensor4D, stack: Stack, want: Want): tf.Tensor {
  const a = inputsAt(block, tape);
  const [P, B, T] = a.shape;
  const { n, m } = block;
  const C = g.shape[1] / B;
  const v = rotate(g, layer.gradientVectors);
  if (block.structure === 'embedding' && layer.inputVectors === undefined) {
    // Σ over tokens of Ĝ_c Ĝ_c', sorted by the steps that hold them.
    const q = tf.gather(tf.reshape(layer.variances, [n, m]), tf.reshape(a, [B, T]));
    const right = tf.reshape(summedByToken(sameTokens(a), v, stack), [C, B, T * m]);
    const left = tf.reshape(tf.mul(tf.reshape(v, [C, B, T, m]), tf.expandDims(q, 0)), [C, B, T * m]);
    return contracted(left, right, want);
  }
  if (T === 1) {
    const u = tf.square(rotate(a, layer.inputVectors));
    const q = tf.matMul(tf.reshape(u, [P, B, n]) as tf.Tensor3D, layer.variances);
    const all = tf.reshape(v, [P, C, B, m]);
    const weighted = tf.mul(all, tf.expandDims(q, 1));
    const flat = (t: tf.Tensor): tf.Tensor =>
      P === 1 ? tf.reshape(t, [C, B, m]) : tf.reshape(tf.transpose(t, [1, 2, 0, 3]), [C, B, P * m]);
    return contracted(flat(weighted), flat(all), want);
  }
  const deviations = tf.reshape(tf.sqrt(layer.variances), [P, 1, n, 1, m]);
  const parts = mapWeightGradients(rotate(a, layer.inputVectors), v, stack, (G) => {
    const scaled = tf.mul(G, deviations);
    if (want === 'variance') return tf.sum(tf.square(scaled), [0, 2, 4]);
    const rows = tf.reshape(tf.transpose(scaled, [1, 3, 0, 2, 4]), [G.shape[1], C, P * n * m]) as tf.Tensor3D;
    return tf.matMul(rows, rows, false, true);
  });
  return parts.length === 1 ? (parts[0] as tf.Tensor) : tf.concat(parts, 0);
}

/** The same for weights of several blocks with one covariance (`full`). */
function ofJoint(
  layer: DeviceLayer,
  tape: Tape,
  gradients: ReadonlyMap<Block, tf.Tensor4D>,
  stack: Stack,
  want: Want,
): tf.Tensor {
  const { blocks, variances } = layer;
  const rows = jointGradients(blocks, tape, gradients, stack);
  const C = rows.shape[0] / tape.size;
  const rotated = tf.matMul(rows, layer.inputVectors as tf.Tensor2D);
  const scaled = tf.mul(rotated, tf.reshape(tf.sqrt(variances), [1, -1]));
  const byExample = tf.reshape(scaled, [tape.size, C, -1]) as tf.Tensor3D;
  return want === 'variance' ? tf.sum(tf.square(byExample), 2) : tf.matMul(byExample, byExample, false, true);
}

/** Σ_j left_cbj right_c'bj for every example: [B, C, C], or [B, C] with c = c' alone. */
function contracted(left: tf.Tensor, right: tf.Tensor, want: Want): tf.Tensor {
  if (want === 'variance') return tf.transpose(tf.sum(tf.mul(left, right), 2));
  const perExample = (t: tf.Tensor): tf.Tensor3D => tf.transpose(t, [1, 0, 2]) as tf.Tensor3D;
  return tf.matMul(perExample(left), perExample(right), false, true);
}
