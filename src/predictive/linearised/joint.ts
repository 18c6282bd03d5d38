/**
 * The linearised network's outputs at all inputs together: f ~ N(f*, J C Jᵀ) with J [B·C, weights] of a whole batch, which is never
 * built. Inputs go through the network in pieces; every pair of pieces is one tile of the covariance (`pairs.ts`), and a row of tiles
 * is downloaded at once, so that the device never holds the whole of it.
 *
 * Cost: with B / X pieces about (B / X)² / 2 backward passes of X·C rows beside the tiles themselves, to whose B² they add little
 * where X is larger than C. Memory: within the budget as far as single examples and rows are.
 */
import * as tf from '@tensorflow/tfjs-core';
import { forward, type Tape } from '../../network/forward.js';
import { endToEnd } from '../../network/gradients.js';
import type { Block, Network } from '../../network/network.js';
import type { Stack } from '../../network/stack.js';
import type { DeviceLayer, DevicePosterior } from '../device/device.js';
import { checkInputs, inPieces } from '../device/pieces.js';
import { runningSum } from '../device/runningSum.js';
import { examplesWithin, NUMBER, widthsOf } from '../device/widths.js';
import { blockPart, coupledPart, type Side } from './pairs.js';
import { everyOutput, visitLayers } from './visitLayers.js';

/** Numbers on the host: f* [B·C] and its covariance [B·C, B·C], row-major; row b·C + c is output c of example b. */
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
  const plan = planned(network, posterior, x, B, memoryBudget);
  let start = 0;
  const { mean, rows } = await inPieces(x, plan.step, (piece) => {
    const left = shownBy(network, posterior, piece);
    const size = left.tape.size;
    const others = slices(x, start + size, plan.step).map(
      (other) => () => between(network, posterior, left, other(), plan.limit),
    );
    start += size;
    return { mean: left.tape.outputs, rows: strip([() => alone(posterior, left, plan.limit), ...others]) };
  });
  return { mean, covariance: mirrored(rows, plan.step * C, B * C) };
}

/** Covariance [B·C, B'·C] of the outputs at some inputs with those at others, row-major. */
export async function covarianceBetween(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  x2: ReadonlyArray<tf.Tensor>,
  memoryBudget: number,
): Promise<Float32Array> {
  const plan = planned(network, posterior, x, sizeOf(x2), memoryBudget);
  await checkInputs(x2);
  const { rows } = await inPieces(x, plan.step, (piece) => {
    const left = shownBy(network, posterior, piece);
    return { rows: strip(slices(x2, 0, plan.step).map((other) => () => between(network, posterior, left, other(), plan.limit))) };
  });
  return rows;
}

const sizeOf = (x: ReadonlyArray<tf.Tensor>): number => x[0]?.shape[0] as number;

/** Examples of a piece, and numbers that a tile may use for its work: half the budget each. `others` is B'. */
function planned(
  network: Network,
  posterior: DevicePosterior,
  x: ReadonlyArray<tf.Tensor>,
  others: number,
  memoryBudget: number,
) {
  const C = network.outputs;
  const { values, widest, gradients, unfolded } = widthsOf(network, x);
  const joint = Math.max(0, ...posterior.layers.map((layer) => (layer.coupled ? layer.size : 0)));
  // Both sides' values, gradients (those of one on their way, too) and inputs of a block, rotated; then the row of tiles.
  const perExample = 2 * values + C * (2 * gradients + 4 * widest + 6 * joint) + 4 * unfolded + 2 * C * C * others;
  const limit = memoryBudget / NUMBER / 2;
  return { step: Math.min(examplesWithin(limit, perExample, 3 * C * C), Math.max(sizeOf(x), others)), limit };
}

/** Everything that a tile needs of the inputs on one of its sides. */
interface Shown {
  readonly tape: Tape;
  readonly stack: Stack;
  readonly blocks: ReadonlyMap<Block, { readonly layer: DeviceLayer; readonly side: Side }>;
  /** Of `full`: rows [B·C, W] along its directions. */
  readonly rows: ReadonlyMap<DeviceLayer, tf.Tensor2D>;
}

function shownBy(network: Network, posterior: DevicePosterior, x: ReadonlyArray<tf.Tensor>): Shown {
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
      rows.set(layer, rowsAlong(layer, tape, gradients, seeds.stack));
    },
  });
  return { tape, stack: seeds.stack, blocks, rows };
}

/** Gradients of all weights of `full`, [B·C, W], along its directions. */
const rowsAlong = (layer: DeviceLayer, tape: Tape, gradients: ReadonlyMap<Block, tf.Tensor4D>, stack: Stack): tf.Tensor2D =>
  tf.tidy(() =>
    layer.lend((form) =>
      tf.matMul(endToEnd(layer.blocks, tape, gradients, stack), form.directions().inputVectors as tf.Tensor2D),
    ),
  );

/** The tile of some inputs with themselves. */
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

/** The tile of some inputs with others, whose gradients are used as they arrive. */
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
      const others = (): tf.Tensor2D => rowsAlong(layer, tape, gradients, seeds.stack);
      sum.add(() => layer.lend((form) => coupledPart(form.directions(), rows, others())));
    },
  });
  return sum.value();
}

/** Tiles side by side, one after the other in the making. */
function strip(tiles: ReadonlyArray<() => tf.Tensor2D>): tf.Tensor2D {
  const made = tiles.map((tile) => tf.tidy(tile));
  return made.length === 1 ? (made[0] as tf.Tensor2D) : tf.concat(made, 1);
}

/** The examples from number `first` on in pieces, each made when it is asked for. */
const slices = (x: ReadonlyArray<tf.Tensor>, first: number, step: number): ReadonlyArray<() => tf.Tensor[]> => {
  const B = sizeOf(x);
  return Array.from({ length: Math.max(0, Math.ceil((B - first) / step)) }, (_, i) => () => {
    const start = first + i * step;
    return x.map((t) => tf.slice(t, start, Math.min(step, B - start)));
  });
};

/**
 * A symmetric matrix [size, size] from its rows in strips of `height`, each from its own diagonal tile on. Tiles on the diagonal are
 * symmetric up to rounding: of two numbers the mean.
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
