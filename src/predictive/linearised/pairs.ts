/**
 * What the weights of one layer add to the covariance of outputs at two sets of inputs, without Jacobians of all weights:
 *
 *   Cov(f_c(x_b), f_c'(x'_b')) = Σ_pij T S²_pij Ĝ_bc,pij Ĝ'_b'c',pij,   Ĝ_bc = Σ_t (a_bt U_A)ᵀ (g_bct U_G).
 *
 * At one position Ĝ is an outer product, and the sum over the n rows of W is one number for a pair of examples:
 *
 *   Σ_j v_bcj v'_b'c'j K^j_bb',   K^j = (a U_A) diag(T S²_·j) (a' U_A)ᵀ,   v = g U_G:
 *
 * 2 B B' m (n + C²) operations in place of 2 B B' C² n m. Elsewhere Ĝ is made for some rows of W at a time, each once: 2 B T n m C
 * operations a side and 2 B B' C² n m for their product. What is made at once stays near `limit` numbers, or what one row and one
 * example take. Row b·C + c is output c of example b. Everything is allocated inside the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { CHUNK } from '../../limits.js';
import type { Tape } from '../../network/forward.js';
import { mapWeightGradients, ownGradients, rotate, type WeightGradients } from '../../network/gradients.js';
import { timesTransposed } from '../../network/matmul.js';
import type { Block } from '../../network/network.js';
import { gradientsAt, inputsAt } from '../../network/positions.js';
import type { Stack } from '../../network/stack.js';
import type { DeviceLayer } from '../device/device.js';
import { runningSum } from '../device/runningSum.js';

/** One set of inputs at a block: the values that it saw, and gradients [C·B, …] in its pre-activations, one tensor a use. */
export interface Side {
  readonly tape: Tape;
  readonly uses: ReadonlyArray<tf.Tensor>;
  readonly stack: Stack;
}

/** The part of the covariance that one block adds, [B·C, B'·C]. */
export function blockPart(layer: DeviceLayer, block: Block, left: Side, right: Side, limit: number): tf.Tensor2D {
  const both = <A>(of: (side: Side) => A): readonly [A, A] => {
    const first = of(left);
    return [first, left === right ? first : of(right)];
  };
  if (layer.inputVectors === undefined && layer.gradientVectors === undefined) {
    const [own, other] = both(({ tape, uses, stack }) => ownGradients(block, tape, uses, stack));
    if (own !== undefined && other !== undefined) return ofGradients(layer, own, left, other, right);
  }
  const [a, b] = both((side) => positionsOf(layer, block, side));
  if (block.structure === 'embedding') return throughGradients(a, b, tokenRows(layer, b), limit);
  const [P, , T] = a.inputs.shape;
  return P === 1 && T === 1 ? atOnePosition(layer, a, b, limit) : throughGradients(a, b, weightRows(layer), limit);
}

/** The part of weights with one covariance (`full`), from rows [B·C, W] along its directions on both sides. */
export const jointPart = ({ variances }: DeviceLayer, left: tf.Tensor2D, right: tf.Tensor2D): tf.Tensor2D =>
  timesTransposed(left, tf.mul(right, tf.reshape(variances, [1, -1])));

/** Inputs a U_A [P, B, T, n], or tokens, and gradients g U_G [P, C·B, T, m]. */
interface Positions {
  readonly inputs: tf.Tensor4D;
  readonly gradients: tf.Tensor4D;
  readonly stack: Stack;
  readonly C: number;
}

function positionsOf(layer: DeviceLayer, block: Block, { tape, uses, stack }: Side): Positions {
  const inputs = inputsAt(block, tape);
  const gradients = rotate(gradientsAt(block, uses), layer.gradientVectors);
  return {
    inputs: block.structure === 'embedding' ? inputs : rotate(inputs, layer.inputVectors),
    gradients,
    stack,
    C: gradients.shape[1] / tape.size,
  };
}

/** Rows c·B + b as rows b·C + c. */
function byExample(rows: tf.Tensor, B: number): tf.Tensor2D {
  const C = (rows.shape[0] as number) / B;
  const width = rows.size / (C * B);
  if (C === 1 || B === 1) return tf.reshape(rows, [C * B, width]);
  return tf.reshape(tf.transpose(tf.reshape(rows, [C, B, width]), [1, 0, 2]), [B * C, width]);
}

/** From gradients [P, C·B, n, m] that a map makes by itself. */
function ofGradients({ variances }: DeviceLayer, own: tf.Tensor4D, left: Side, other: tf.Tensor4D, right: Side): tf.Tensor2D {
  const rows = (gradients: tf.Tensor4D, { tape }: Side): tf.Tensor2D => {
    const [P, R, n, m] = gradients.shape;
    return byExample(tf.reshape(tf.transpose(gradients, [1, 0, 2, 3]), [R, P * n * m]), tape.size);
  };
  return timesTransposed(rows(own, left), tf.mul(rows(other, right), tf.reshape(variances, [1, -1])));
}

/** Pairs of examples that meet W once each: chunks of its columns, and of the left examples. */
function atOnePosition({ variances }: DeviceLayer, left: Positions, right: Positions, limit: number): tf.Tensor2D {
  const { C } = left;
  const [, B, , n] = left.inputs.shape;
  const B2 = right.inputs.shape[1];
  const m = left.gradients.shape[3];
  const S2 = tf.reshape(variances, [n, m, 1]);
  const a = tf.reshape(left.inputs, [B, n]) as tf.Tensor2D;
  const other = tf.reshape(tf.transpose(tf.reshape(right.inputs, [B2, n])), [n, 1, B2]);
  const v = tf.transpose(tf.reshape(left.gradients, [C, B, m]), [1, 0, 2]);
  const w = tf.transpose(tf.reshape(right.gradients, [C, B2, m]), [2, 1, 0]);
  // Half of the limit for each product; a backend may hold a reshaped tensor twice.
  const columns = within(limit / (4 * n * B2), m);
  const examples = within(limit / (4 * columns * B2 * (1 + C)), B);
  return summed(m, columns, (j, J) => {
    const scaled = tf.reshape(tf.mul(tf.slice(S2, [0, j, 0], [n, J, 1]), other), [n, J * B2]) as tf.Tensor2D;
    const seen = tf.slice(w, [j, 0, 0], [J, B2, C]);
    const parts = chunks(B, examples, (x, X) =>
      tf.tidy(() => {
        // K [X, J, B'] of these examples, then K v' [X, J, B'·C]: no transposed product, which WASM is slow at.
        const K = tf.reshape(tf.matMul(tf.slice(a, [x, 0], [X, n]), scaled), [X, J, B2, 1]);
        const inner = tf.reshape(tf.mul(K, tf.expandDims(seen, 0)), [X, J, B2 * C]) as tf.Tensor3D;
        return tf.reshape(tf.matMul(tf.slice(v, [x, 0, j], [X, C, J]) as tf.Tensor3D, inner), [X * C, B2 * C]) as tf.Tensor2D;
      }),
    );
    return joined(parts);
  });
}

/** Some rows of W at a time: what both sides hold for them, and their variances. */
interface WeightRows {
  /** How many there are. */
  readonly n: number;
  /** Inputs [P, B, T, k] of rows i to i + k. */
  readonly inputs: (side: Positions, i: number, k: number) => tf.Tensor4D;
  /** T S² [P, k, m] of them. */
  readonly variances: (i: number, k: number) => tf.Tensor;
}

const weightRows = ({ variances }: DeviceLayer): WeightRows => ({
  n: variances.shape[1],
  inputs: ({ inputs }, i, k) => tf.slice(inputs, [0, 0, 0, i], [-1, -1, -1, k]),
  variances: (i, k) => tf.slice(variances, [0, i, 0], [-1, k, -1]),
});

/**
 * Rows of an embedding's table. Only tokens of both sides count: where the right side holds fewer than the vocabulary, its steps are
 * the rows, and one of k steps with the same token counts 1/k.
 */
function tokenRows({ variances }: DeviceLayer, right: Positions): WeightRows {
  const [, vocabulary, m] = variances.shape;
  const table = tf.reshape(variances, [vocabulary, m]) as tf.Tensor2D;
  const steps = tf.reshape(right.inputs, [-1]) as tf.Tensor1D;
  const whole = vocabulary <= steps.size;
  const rows = whole ? (tf.range(0, vocabulary, 1, 'int32') as tf.Tensor1D) : steps;
  const held = (tokens: tf.Tensor, i: number, k: number): tf.Tensor => {
    const own = tf.reshape(tf.slice(rows, [i], [k]), [1, k]);
    return tf.cast(tf.equal(tf.reshape(tokens, [-1, 1]), own), 'float32');
  };
  return {
    n: rows.size,
    inputs: ({ inputs }, i, k) =>
      tf.reshape(held(inputs, i, k), [...inputs.shape.slice(0, 3), k] as [number, number, number, number]),
    variances: (i, k) => {
      const own = tf.gather(table, tf.slice(rows, [i], [k]));
      return whole ? own : tf.div(own, tf.reshape(tf.sum(held(steps, i, k), 0), [k, 1]));
    },
  };
}

function throughGradients(left: Positions, right: Positions, { n, inputs, variances }: WeightRows, limit: number): tf.Tensor2D {
  const { C } = left;
  const [P, B] = left.inputs.shape;
  const B2 = right.inputs.shape[1];
  const m = left.gradients.shape[3];
  const step = within(limit / (4 * P * m * C * (B + B2)), n);
  return summed(n, step, (i, k) => {
    /** Ĝ [B·C, P·k·m] of these rows. */
    const gradients = (side: Positions): tf.Tensor2D => {
      const width = P * k * m;
      const take = (G: WeightGradients): tf.Tensor => tf.reshape(tf.transpose(G, [1, 3, 0, 2, 4]), [-1, width]);
      const parts = mapWeightGradients(inputs(side, i, k), side.gradients, side.stack, take, Math.min(CHUNK, limit / 4));
      return joined(parts as tf.Tensor2D[]);
    };
    const first = gradients(left);
    const second = left === right ? first : gradients(right);
    return timesTransposed(first, tf.mul(second, tf.reshape(variances(i, k), [1, P * k * m])));
  });
}

/** As many things as a budget allows, one at least and all of them at most. */
const within = (allowed: number, all: number): number => Math.min(all, Math.max(1, Math.floor(allowed)));

/** `part` of every `step` out of `size`. */
function chunks<A>(size: number, step: number, part: (first: number, count: number) => A): A[] {
  return Array.from({ length: Math.ceil(size / step) }, (_, i) => part(i * step, Math.min(step, size - i * step)));
}

/** Σ of the parts, one after the other. */
function summed(size: number, step: number, part: (first: number, count: number) => tf.Tensor2D): tf.Tensor2D {
  const sum = runningSum<tf.Tensor2D>();
  chunks(size, step, (first, count) => sum.add(() => part(first, count)));
  return sum.value();
}

const joined = (parts: tf.Tensor2D[]): tf.Tensor2D => (parts.length === 1 ? (parts[0] as tf.Tensor2D) : tf.concat(parts, 0));
