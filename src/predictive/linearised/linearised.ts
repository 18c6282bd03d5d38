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
import {
  endToEnd,
  mapWeightGradients,
  ownGradients,
  rotate,
  sameTokens,
  summedByToken,
  type WeightGradients,
} from '../../network/gradients.js';
import type { Block, Network } from '../../network/network.js';
import { gradientsAt, inputsAt } from '../../network/positions.js';
import type { Stack } from '../../network/stack.js';
import type { DevicePosterior } from '../device/device.js';
import type { LinearisedPlan } from '../device/plans.js';
import type { DeviceDirections, Want } from '../device/structure/structure.js';
import { lastOf, ofLast } from './lastLayer.js';
import { outputSeeds, visitLayers } from './visitLayers.js';

/** The mean and covariance of the outputs f, before the link. */
export interface OutputDistribution {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** The covariances [B, C, C], or the variances [B, C] if only these were asked for. */
  readonly covariance: tf.Tensor;
}

/** Bounds on what is computed at once. By default all outputs send their gradients back together. */
export type Chunks = Partial<Pick<LinearisedPlan, 'outputs' | 'numbers'>>;

/** The distribution of f for one batch. Allocates inside the caller's `tf.tidy`. */
export function linearised(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  want: Want,
  chunks: Chunks = {},
): OutputDistribution {
  const tape = forward(network, x);
  const last = lastOf(network, posterior);
  if (last !== undefined) return { mean: tape.outputs, covariance: ofLast(last, tape, want) };
  const of = (outputs: ReadonlyArray<number>): tf.Tensor =>
    tf.tidy(() => ofOutputs(network, posterior, tape, outputs, want, chunks));
  return {
    mean: tape.outputs,
    covariance: want === 'variance' ? chunked(network.outputs, chunks, of) : paired(network.outputs, chunks, of),
  };
}

/** The variances [B, C], computed for some outputs at a time. */
function chunked(C: number, { outputs: step = C }: Chunks, of: (outputs: ReadonlyArray<number>) => tf.Tensor): tf.Tensor {
  return concat(ranges(C, step).map(of), 1);
}

/**
 * The covariances [B, C, C], computed for some outputs at a time. The covariances between two parts of the outputs need the
 * gradients of both parts. So k parts take k (k − 1) / 2 backward passes of two parts each.
 */
function paired(C: number, { outputs: most = C }: Chunks, of: (outputs: ReadonlyArray<number>) => tf.Tensor): tf.Tensor {
  if (most >= C) return of(range(0, C));
  const parts = ranges(C, Math.max(1, Math.floor(most / 2)));
  const blocks: tf.Tensor[][] = parts.map(() => []);
  for (let i = 0; i < parts.length; i++) {
    for (let j = i + 1; j < parts.length; j++) {
      const [own, other] = [parts[i] as number[], parts[j] as number[]];
      const [h, k] = [own.length, other.length];
      const both = of([...own, ...other]);
      const block = (row: number, column: number, rows: number, columns: number): tf.Tensor =>
        tf.slice(both, [0, row, column], [-1, rows, columns]);
      const keep = (a: number, b: number, t: () => tf.Tensor): void => {
        (blocks[a] as tf.Tensor[])[b] ??= t();
      };
      keep(i, i, () => block(0, 0, h, h));
      keep(i, j, () => block(0, h, h, k));
      keep(j, i, () => block(h, 0, k, h));
      keep(j, j, () => block(h, h, k, k));
      both.dispose();
    }
  }
  return tf.concat(
    blocks.map((row) => tf.concat(row, 2)),
    1,
  );
}

const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);

const ranges = (C: number, step: number): number[][] =>
  Array.from({ length: Math.ceil(C / step) }, (_, i) => range(i * step, Math.min(C, (i + 1) * step)));

/** The covariances or variances of some outputs, from one backward pass of their gradients. */
function ofOutputs(
  network: Network,
  posterior: DevicePosterior,
  tape: Tape,
  outputs: ReadonlyArray<number>,
  want: Want,
  { numbers }: Chunks,
): tf.Tensor {
  const { size: B } = tape;
  const C = outputs.length;
  const seeds = outputSeeds(outputs, network.outputs, B);
  let covariance: tf.Tensor = tf.zeros(want === 'covariance' ? [B, C, C] : [B, C]);
  const add = (part: () => tf.Tensor): void => {
    const previous = covariance;
    covariance = tf.tidy(() => tf.add(previous, part()));
    previous.dispose();
  };
  visitLayers(network, posterior, tape, seeds, {
    own: ({ lend }, block, uses) =>
      add(() => lend((form) => ofUses(form.directions(), block, tape, uses, seeds.stack, want, numbers))),
    coupled: ({ blocks, lend }, gradients) =>
      add(() =>
        lend((form) => ofCoupled(form.directions(), endToEnd(blocks, tape, gradients, seeds.stack, numbers), tape.size, want)),
      ),
  });
  return covariance;
}

function ofUses(
  layer: DeviceDirections,
  block: Block,
  tape: Tape,
  uses: ReadonlyArray<tf.Tensor>,
  stack: Stack,
  want: Want,
  numbers: number | undefined,
): tf.Tensor {
  const plain = layer.inputVectors === undefined && layer.gradientVectors === undefined;
  const own = plain ? ownGradients(block, tape, uses, stack) : undefined;
  if (own === undefined) return ofBlock(layer, block, tape, gradientsAt(block, uses), stack, want, numbers);
  const [P, R, n, m] = own.shape;
  const rows = tf.reshape(tf.transpose(own, [1, 0, 2, 3]), [R / tape.size, tape.size, P * n * m]);
  return contracted(tf.mul(rows, tf.reshape(layer.variances, [1, 1, P * n * m])), rows, want);
}

/** What the weights of one block add to the covariances or variances, from the gradients g [P, C·B, T, m]. */
function ofBlock(
  layer: DeviceDirections,
  block: Block,
  tape: Tape,
  g: tf.Tensor4D,
  stack: Stack,
  want: Want,
  numbers: number | undefined,
): tf.Tensor {
  const a = inputsAt(block, tape);
  const [P, B, T] = a.shape;
  const { n, m } = block;
  const C = g.shape[1] / B;
  const v = rotate(g, layer.gradientVectors);
  if (block.map.inputs === 'tokens' && layer.inputVectors === undefined) {
    // The sum of T S² Ĝ_c Ĝ_c' over the tokens, as a sum over the steps that hold them.
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
  const take = (G: WeightGradients): tf.Tensor => {
    const scaled = tf.mul(G, deviations);
    if (want === 'variance') return tf.sum(tf.square(scaled), [0, 2, 4]);
    const rows = tf.reshape(tf.transpose(scaled, [1, 3, 0, 2, 4]), [G.shape[1], C, P * n * m]) as tf.Tensor3D;
    return tf.matMul(rows, rows, false, true);
  };
  return concat(mapWeightGradients(rotate(a, layer.inputVectors), v, stack, take, numbers), 0);
}

/**
 * The part of several blocks that share one covariance (`full`), from the gradients of all their weights end to end, [B·C, W].
 */
function ofCoupled({ inputVectors, variances }: DeviceDirections, rows: tf.Tensor2D, B: number, want: Want): tf.Tensor {
  const rotated = tf.matMul(rows, inputVectors as tf.Tensor2D);
  const scaled = tf.mul(rotated, tf.reshape(tf.sqrt(variances), [1, -1]));
  const byExample = tf.reshape(scaled, [B, rows.shape[0] / B, -1]) as tf.Tensor3D;
  return want === 'variance' ? tf.sum(tf.square(byExample), 2) : tf.matMul(byExample, byExample, false, true);
}

/** Σ_j left_cbj right_c'bj for every example b: [B, C, C], or only the entries with c = c', [B, C]. */
function contracted(left: tf.Tensor, right: tf.Tensor, want: Want): tf.Tensor {
  if (want === 'variance') return tf.transpose(tf.sum(tf.mul(left, right), 2));
  const perExample = (t: tf.Tensor): tf.Tensor3D => tf.transpose(t, [1, 0, 2]) as tf.Tensor3D;
  return tf.matMul(perExample(left), perExample(right), false, true);
}
