/**
 * The joint distribution of the linearised network's outputs at all inputs: f ~ N(f*, J Σ Jᵀ), where Σ is the covariance of the
 * weights and J [B·C, weights] the Jacobian of the whole batch. J is never built. Inputs go through the network in pieces. Every
 * pair of pieces gives one tile of the covariance (`pairs.ts`). Tiles are downloaded one row of tiles at a time, so the device
 * never holds the whole covariance.
 *
 * Cost: with pieces of X examples, about (B / X)² / 2 backward passes of X·C rows, and the tiles themselves. The tiles cost
 * O(B²), to which the passes add little if X is larger than C. Memory: see `jointPlan`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { CHUNK } from '../../limits.js';
import { concat } from '../../network/concat.js';
import { costsOf } from '../../network/costs.js';
import { forward, type Tape } from '../../network/forward.js';
import { endToEnd } from '../../network/gradients.js';
import type { Block, Network } from '../../network/network.js';
import type { Stack } from '../../network/stack.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import { checkInputs, inPieces } from '../device/pieces.js';
import { jointPlan } from '../device/plans.js';
import { runningSum } from '../device/runningSum.js';
import { blockPart, coupledPart, type Side } from './pairs.js';
import { everyOutput, visitLayers } from './visitLayers.js';

/** The mean f* [B·C] and the covariance [B·C, B·C] of f on the host, row-major. Row b·C + c is output c of example b. */
export interface JointNumbers {
  readonly mean: Float32Array;
  readonly covariance: Float32Array;
}

/**
 * The mean and covariance of the outputs at all inputs x. The covariance is exactly symmetric.
 *
 * @param memoryBudget in bytes
 */
export async function jointCovariance(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  memoryBudget: number,
): Promise<JointNumbers> {
  const [C, B] = [network.outputs, sizeOf(x)];
  const plan = jointPlan(network, posterior, costsOf(network, x), [B, B], memoryBudget);
  let start = 0;
  const { mean, rows } = await inPieces(x, plan.examples, (piece) => {
    const left = shownBy(network, posterior, piece, plan.numbers);
    const size = left.tape.size;
    const others = slices(x, start + size, plan.examples).map(
      (other) => () => between(network, posterior, left, other(), plan.numbers),
    );
    start += size;
    return { mean: left.tape.outputs, rows: strip([() => alone(posterior, left, plan.numbers), ...others]) };
  });
  return { mean, covariance: mirrored(rows, plan.examples * C, B * C) };
}

/**
 * The covariance of the outputs at inputs x with the outputs at inputs x2.
 *
 * @param memoryBudget in bytes
 * @returns [B·C, B'·C], row-major, for B examples in x and B' in x2
 */
export async function covarianceBetween(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  x2: ReadonlyArray<tf.Tensor>,
  memoryBudget: number,
): Promise<Float32Array> {
  const plan = jointPlan(network, posterior, costsOf(network, x), [sizeOf(x), sizeOf(x2)], memoryBudget);
  await checkInputs(x2);
  const { rows } = await inPieces(x, plan.examples, (piece) => {
    const left = shownBy(network, posterior, piece, plan.numbers);
    return {
      rows: strip(slices(x2, 0, plan.examples).map((other) => () => between(network, posterior, left, other(), plan.numbers))),
    };
  });
  return rows;
}

const sizeOf = (x: ReadonlyArray<tf.Tensor>): number => x[0]?.shape[0] as number;

/** Everything that a tile needs to know about the inputs on one of its sides. */
interface Shown {
  readonly tape: Tape;
  readonly stack: Stack;
  readonly blocks: ReadonlyMap<Block, { readonly layer: DeviceLayer; readonly side: Side }>;
  /** For `full`: the gradients of all W covered weights along the directions, [B·C, W]. */
  readonly rows: ReadonlyMap<DeviceLayer, tf.Tensor2D>;
}

function shownBy(network: Network, posterior: DevicePosterior, x: ReadonlyArray<tf.Tensor>, limit: number): Shown {
  const tape = forward(network, x);
  const seeds = everyOutput(network, tape);
  const blocks = new Map<Block, { layer: DeviceLayer; side: Side }>();
  const rows = new Map<DeviceLayer, tf.Tensor2D>();
  visitLayers(network, posterior, tape, seeds, {
    own: (layer, block, uses) => {
      const held = uses.map((gradient) => tf.clone(gradient));
      blocks.set(block, { layer, side: { tape, uses: held, stack: seeds.stack } });
    },
    coupled: (layer, gradients) => {
      rows.set(layer, rowsAlong(layer, tape, gradients, seeds.stack, limit));
    },
  });
  return { tape, stack: seeds.stack, blocks, rows };
}

/** For `full`: the gradients of all W covered weights along the directions, [B·C, W]. */
const rowsAlong = (
  layer: DeviceLayer,
  tape: Tape,
  gradients: ReadonlyMap<Block, tf.Tensor4D>,
  stack: Stack,
  limit: number,
): tf.Tensor2D =>
  tf.tidy(() => {
    const rows = endToEnd(layer.blocks, tape, gradients, stack, Math.min(CHUNK, limit / 4));
    return layer.lend((form) => tf.matMul(rows, form.directions().inputVectors as tf.Tensor2D));
  });

/** The tile for a piece of inputs with itself, [X·C, X·C]. */
function alone(posterior: DevicePosterior, { blocks, rows }: Shown, limit: number): tf.Tensor2D {
  const sum = runningSum<tf.Tensor2D>();
  for (const [block, { layer, side }] of blocks)
    sum.add(() => layer.lend((form) => blockPart(form.directions(), block, side, side, limit)));
  for (const layer of posterior.layers) {
    const own = rows.get(layer);
    if (own !== undefined) sum.add(() => layer.lend((form) => coupledPart(form.directions(), own, own)));
  }
  return sum.value();
}

/** The tile for a piece of inputs with other inputs. The gradients of the other inputs are used as they arrive, and not kept. */
function between(
  network: Network,
  posterior: DevicePosterior,
  left: Shown,
  x2: ReadonlyArray<tf.Tensor>,
  limit: number,
): tf.Tensor2D {
  const sum = runningSum<tf.Tensor2D>();
  const tape = forward(network, x2);
  const seeds = everyOutput(network, tape);
  visitLayers(network, posterior, tape, seeds, {
    own: (layer, block, uses) => {
      const { side } = left.blocks.get(block) as { side: Side };
      const other = { tape, uses, stack: seeds.stack };
      sum.add(() => layer.lend((form) => blockPart(form.directions(), block, side, other, limit)));
    },
    coupled: (layer, gradients) => {
      const rows = left.rows.get(layer) as tf.Tensor2D;
      const others = (): tf.Tensor2D => rowsAlong(layer, tape, gradients, seeds.stack, limit);
      sum.add(() => layer.lend((form) => coupledPart(form.directions(), rows, others())));
    },
  });
  return sum.value();
}

/** Computes tiles one after another and joins them side by side. */
const strip = (tiles: ReadonlyArray<() => tf.Tensor2D>): tf.Tensor2D =>
  concat(
    tiles.map((tile) => tf.tidy(tile)),
    1,
  );

/** Cuts the examples from index `first` on into pieces. Each function makes one piece when it is called. */
const slices = (x: ReadonlyArray<tf.Tensor>, first: number, step: number): ReadonlyArray<() => tf.Tensor[]> => {
  const B = sizeOf(x);
  return Array.from({ length: Math.max(0, Math.ceil((B - first) / step)) }, (_, i) => () => {
    const start = first + i * step;
    return x.map((t) => tf.slice(t, start, Math.min(step, B - start)));
  });
};

/**
 * Builds a symmetric matrix [size, size] from strips of `height` rows. Each strip begins at its own tile on the diagonal. These
 * tiles are symmetric only up to rounding, so two mirrored entries are replaced by their mean.
 */
function mirrored(strips: Float32Array, height: number, size: number): Float32Array {
  const whole = new Float32Array(size * size);
  for (let first = 0, offset = 0; first < size; first += height) {
    const end = Math.min(first + height, size);
    const length = size - first;
    const at = (i: number, j: number): number => strips[offset + (i - first) * length + j - first] as number;
    for (let i = first; i < end; i++) {
      for (let j = i; j < size; j++) {
        const value = j < end ? (at(i, j) + at(j, i)) / 2 : at(i, j);
        whole[i * size + j] = value;
        whole[j * size + i] = value;
      }
    }
    offset += (end - first) * length;
  }
  return whole;
}
