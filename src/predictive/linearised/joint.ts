/**
 * The linearised network's outputs at all inputs together: f ~ N(f*, J C Jᵀ) with J [B·C, weights] of a whole batch, which is never
 * built. Inputs go through the network in pieces; every pair of pieces is one tile of the covariance (`pairs.ts`), and a row of tiles
 * is downloaded at once, so that the device never holds the whole of it.
 *
 * Cost: with B / X pieces about (B / X)² / 2 backward passes of X·C rows beside the tiles themselves, to whose B² they add little
 * where X is larger than C. Memory: see `jointPlan`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { jointGradients } from '../../curvature/estimator.js';
import { CHUNK } from '../../limits.js';
import { costsOf } from '../../network/costs.js';
import { forward, type Tape } from '../../network/forward.js';
import type { Block, Network } from '../../network/network.js';
import type { Stack } from '../../network/stack.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import { checkInputs, inPieces } from '../device/pieces.js';
import { jointPlan } from '../device/plans.js';
import { runningSum } from '../device/runningSum.js';
import { blockPart, jointPart, type Side } from './pairs.js';
import { everyOutput, visitLayers } from './visitLayers.js';

/** The joint distribution on the host: f* [B·C] and its covariance [B·C, B·C], row-major; row b·C + c is output c of example b. */
export interface JointNumbers {
  readonly mean: Float32Array;
  readonly covariance: Float32Array;
}

/** Mean and covariance of the outputs at all inputs. Exactly symmetric. */
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

/** Covariance [B·C, B'·C] of the outputs at some inputs with those at others, row-major. */
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

/** One side of a tile: everything that the tile needs of its inputs. */
interface Shown {
  readonly tape: Tape;
  readonly stack: Stack;
  readonly blocks: ReadonlyMap<Block, { readonly layer: DeviceLayer; readonly side: Side }>;
  /** Where weights have one covariance (`full`): their rows [B·C, W] along its directions. */
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
    joint: (layer, gradients) => {
      rows.set(layer, rowsAlong(layer, tape, gradients, seeds.stack, limit));
    },
  });
  return { tape, stack: seeds.stack, blocks, rows };
}

/** Gradients of all weights of `full`, [B·C, W], along its directions. */
const rowsAlong = (
  layer: DeviceLayer,
  tape: Tape,
  gradients: ReadonlyMap<Block, tf.Tensor4D>,
  stack: Stack,
  limit: number,
): tf.Tensor2D =>
  tf.tidy(() => {
    const rows = jointGradients(layer.blocks, tape, gradients, stack, Math.min(CHUNK, limit / 4));
    return tf.matMul(rows, layer.inputVectors as tf.Tensor2D);
  });

/** The tile of some inputs with themselves. */
function alone(posterior: DevicePosterior, { blocks, rows }: Shown, limit: number): tf.Tensor2D {
  const sum = runningSum<tf.Tensor2D>();
  for (const [block, { layer, side }] of blocks) sum.add(() => blockPart(layer, block, side, side, limit));
  for (const layer of posterior.layers) {
    const own = rows.get(layer);
    if (own !== undefined) sum.add(() => jointPart(layer, own, own));
  }
  return sum.value();
}

/** The tile of some inputs with others. The gradients of the others are used as they arrive and never kept. */
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
      sum.add(() => blockPart(layer, block, side, { tape, uses, stack: seeds.stack }, limit));
    },
    joint: (layer, gradients) => {
      const rows = left.rows.get(layer) as tf.Tensor2D;
      sum.add(() => jointPart(layer, rows, rowsAlong(layer, tape, gradients, seeds.stack, limit)));
    },
  });
  return sum.value();
}

/** Tiles side by side, one after the other in the making. */
function strip(tiles: ReadonlyArray<() => tf.Tensor2D>): tf.Tensor2D {
  const made = tiles.map((tile) => tf.tidy(tile));
  return made.length === 1 ? (made[0] as tf.Tensor2D) : tf.concat(made, 1);
}

/** Pieces of the examples from number `first` on; each is sliced when it is called. */
const slices = (x: ReadonlyArray<tf.Tensor>, first: number, step: number): ReadonlyArray<() => tf.Tensor[]> => {
  const B = sizeOf(x);
  return Array.from({ length: Math.max(0, Math.ceil((B - first) / step)) }, (_, i) => () => {
    const start = first + i * step;
    return x.map((t) => tf.slice(t, start, Math.min(step, B - start)));
  });
};

/**
 * A symmetric matrix [size, size] from strips of `height` rows, each of which begins at its own diagonal tile. Tiles on the diagonal are
 * symmetric up to rounding, so their mirrored numbers are averaged.
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
