/**
 * What the weights of one layer add to the covariance between the outputs at two sets of inputs x and x', without Jacobians of
 * all weights:
 *
 *   Cov(f_c(x_b), f_c'(x'_b')) = Σ_pij T S²_pij Ĝ_bc,pij Ĝ'_b'c',pij,   Ĝ_bc = Σ_t (a_bt U_A)ᵀ (g_bct U_G).
 *
 * T S² is the variances at temperature T; p runs over groups, i over rows and j over columns of W. With one position Ĝ is an
 * outer product. Then the sum over the n rows of W is one number for each column j and each pair of examples:
 *
 *   Σ_j v_bcj v'_b'c'j K^j_bb',   K^j = (a U_A) diag(T S²_·j) (a' U_A)ᵀ,   v = g U_G.
 *
 * This takes 2 B B' m (n + C²) operations instead of 2 B B' C² n m. With T positions Ĝ is made for some rows of W at a time, each
 * row once: 2 B T n m C operations for each side, and 2 B B' C² n m for their product. The numbers that are made at once stay
 * near `limit`, unless one row and one example take more. Row b·C + c is output c of example b. Everything is allocated inside
 * the caller's `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { CHUNK } from '../../limits.js';
import { concat } from '../../network/concat.js';
import type { Tape } from '../../network/forward.js';
import { mapWeightGradients, ownGradients, rotate, type WeightGradients } from '../../network/gradients.js';
import { timesTransposed } from '../../network/matmul.js';
import type { Block } from '../../network/network.js';
import { gradientsAt, inputsAt } from '../../network/positions.js';
import type { Stack } from '../../network/stack.js';
import { runningSum } from '../device/runningSum.js';
import type { DeviceDirections } from '../device/structure/structure.js';

/**
 * One set of inputs: `tape` holds their forward pass, and `uses` the gradients [C·B, …] in a block's pre-activations, one for
 * each use.
 */
export interface Side {
  readonly tape: Tape;
  readonly uses: ReadonlyArray<tf.Tensor>;
  readonly stack: Stack;
}

/** The part of one block, [B·C, B'·C]. */
export function blockPart(layer: DeviceDirections, block: Block, left: Side, right: Side, limit: number): tf.Tensor2D {
  const both = <A>(of: (side: Side) => A): readonly [A, A] => {
    const first = of(left);
    return [first, left === right ? first : of(right)];
  };
  if (layer.inputVectors === undefined && layer.gradientVectors === undefined) {
    const [own, other] = both(({ tape, uses, stack }) => ownGradients(block, tape, uses, stack));
    if (own !== undefined && other !== undefined) return ofGradients(layer, own, left, other, right);
  }
  const [a, b] = both((side) => positionsOf(layer, block, side));
  if (block.map.inputs === 'tokens') return throughGradients(a, b, tokenRows(layer, b), limit);
  const [P, , T] = a.inputs.shape;
  return P === 1 && T === 1 ? atOnePosition(layer, a, b, limit) : throughGradients(a, b, weightRows(layer), limit);
}

/**
 * The part of all weights with one covariance (`full`), [B·C, B'·C], from the gradients along its directions on both sides, [·,
 * W].
 */
export const coupledPart = ({ variances }: DeviceDirections, left: tf.Tensor2D, right: tf.Tensor2D): tf.Tensor2D =>
  timesTransposed(left, tf.mul(right, tf.reshape(variances, [1, -1])));

/** One side along the directions: inputs a U_A [P, B, T, n], or tokens, and gradients g U_G [P, C·B, T, m]. */
interface Positions {
  readonly inputs: tf.Tensor4D;
  readonly gradients: tf.Tensor4D;
  readonly stack: Stack;
  readonly C: number;
}

function positionsOf(layer: DeviceDirections, block: Block, { tape, uses, stack }: Side): Positions {
  const inputs = inputsAt(block, tape);
  const gradients = rotate(gradientsAt(block, uses), layer.gradientVectors);
  return {
    inputs: block.map.inputs === 'tokens' ? inputs : rotate(inputs, layer.inputVectors),
    gradients,
    stack,
    C: gradients.shape[1] / tape.size,
  };
}

/** Reorders rows c·B + b to rows b·C + c. */
function byExample(rows: tf.Tensor, B: number): tf.Tensor2D {
  const C = (rows.shape[0] as number) / B;
  const width = rows.size / (C * B);
  if (C === 1 || B === 1) return tf.reshape(rows, [C * B, width]);
  return tf.reshape(tf.transpose(tf.reshape(rows, [C, B, width]), [1, 0, 2]), [B * C, width]);
}

/** The part of a block from the weight gradients [P, C·B, n, m] that its map computes directly. */
function ofGradients(
  { variances }: DeviceDirections,
  own: tf.Tensor4D,
  left: Side,
  other: tf.Tensor4D,
  right: Side,
): tf.Tensor2D {
  const rows = (gradients: tf.Tensor4D, { tape }: Side): tf.Tensor2D => {
    const [P, R, n, m] = gradients.shape;
    return byExample(tf.reshape(tf.transpose(gradients, [1, 0, 2, 3]), [R, P * n * m]), tape.size);
  };
  return timesTransposed(rows(own, left), tf.mul(rows(other, right), tf.reshape(variances, [1, -1])));
}

/** The part of a block with one position, in chunks of the columns of W and of the left examples. */
function atOnePosition({ variances }: DeviceDirections, left: Positions, right: Positions, limit: number): tf.Tensor2D {
  const { C } = left;
  const [, B, , n] = left.inputs.shape;
  const B2 = right.inputs.shape[1];
  const m = left.gradients.shape[3];
  const S2 = tf.reshape(variances, [n, m, 1]);
  const a = tf.reshape(left.inputs, [B, n]) as tf.Tensor2D;
  const other = tf.reshape(tf.transpose(tf.reshape(right.inputs, [B2, n])), [n, 1, B2]);
  const v = tf.transpose(tf.reshape(left.gradients, [C, B, m]), [1, 0, 2]);
  const w = tf.transpose(tf.reshape(right.gradients, [C, B2, m]), [2, 1, 0]);
  // The columns and the examples get half of the limit each. A factor of 2 allows for backends that copy a tensor to reshape it.
  const columns = within(limit / (4 * n * B2), m);
  const examples = within(limit / (4 * columns * B2 * (1 + C)), B);
  return summed(m, columns, (j, J) => {
    const scaled = tf.reshape(tf.mul(tf.slice(S2, [0, j, 0], [n, J, 1]), other), [n, J * B2]) as tf.Tensor2D;
    const seen = tf.slice(w, [j, 0, 0], [J, B2, C]);
    const parts = chunks(B, examples, (x, X) =>
      tf.tidy(() => {
        // K [X, J, B'] of these examples, then K v' [X, J, B'·C]. No product has a transposed operand, which is slow on WASM.
        const K = tf.reshape(tf.matMul(tf.slice(a, [x, 0], [X, n]), scaled), [X, J, B2, 1]);
        const inner = tf.reshape(tf.mul(K, tf.expandDims(seen, 0)), [X, J, B2 * C]) as tf.Tensor3D;
        return tf.reshape(tf.matMul(tf.slice(v, [x, 0, j], [X, C, J]) as tf.Tensor3D, inner), [X * C, B2 * C]) as tf.Tensor2D;
      }),
    );
    return concat(parts, 0);
  });
}

/** Access to the rows of W, some at a time. */
interface WeightRows {
  /** The number of rows. */
  readonly n: number;
  /** The inputs of a side that meet rows i to i + k, [P, B, T, k]. */
  readonly inputs: (side: Positions, i: number, k: number) => tf.Tensor4D;
  /** T S² for rows i to i + k, [P, k, m]. */
  readonly variances: (i: number, k: number) => tf.Tensor;
}

const weightRows = ({ variances }: DeviceDirections): WeightRows => ({
  n: variances.shape[1],
  inputs: ({ inputs }, i, k) => tf.slice(inputs, [0, 0, 0, i], [-1, -1, -1, k]),
  variances: (i, k) => tf.slice(variances, [0, i, 0], [-1, k, -1]),
});

/**
 * The rows of an embedding's table. Only tokens on both sides add to the covariance. So if the right side has fewer steps than
 * the vocabulary has tokens, its steps take the place of the rows. Each of k steps with the same token then counts 1/k.
 */
function tokenRows({ variances }: DeviceDirections, right: Positions): WeightRows {
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

/** The part of a block from Ĝ, made for some rows of W at a time. */
function throughGradients(left: Positions, right: Positions, { n, inputs, variances }: WeightRows, limit: number): tf.Tensor2D {
  const { C } = left;
  const [P, B] = left.inputs.shape;
  const B2 = right.inputs.shape[1];
  const m = left.gradients.shape[3];
  const step = within(limit / (4 * P * m * C * (B + B2)), n);
  return summed(n, step, (i, k) => {
    /** Ĝ [B·C, P·k·m] for these rows of W. */
    const gradients = (side: Positions): tf.Tensor2D => {
      const width = P * k * m;
      const take = (G: WeightGradients): tf.Tensor => tf.reshape(tf.transpose(G, [1, 3, 0, 2, 4]), [-1, width]);
      const parts = mapWeightGradients(inputs(side, i, k), side.gradients, side.stack, take, Math.min(CHUNK, limit / 4));
      return concat(parts as tf.Tensor2D[], 0);
    };
    const first = gradients(left);
    const second = left === right ? first : gradients(right);
    return timesTransposed(first, tf.mul(second, tf.reshape(variances(i, k), [1, P * k * m])));
  });
}

/** Rounds the number that a budget allows to a whole number from 1 to `all`. */
const within = (allowed: number, all: number): number => Math.min(all, Math.max(1, Math.floor(allowed)));

/** Calls `part` for every chunk of at most `step` out of `size`. */
function chunks<A>(size: number, step: number, part: (first: number, count: number) => A): A[] {
  return Array.from({ length: Math.ceil(size / step) }, (_, i) => part(i * step, Math.min(step, size - i * step)));
}

/** The sum of the parts of all chunks, computed one after another. */
function summed(size: number, step: number, part: (first: number, count: number) => tf.Tensor2D): tf.Tensor2D {
  const sum = runningSum<tf.Tensor2D>();
  chunks(size, step, (first, count) => sum.add(() => part(first, count)));
  return sum.value();
}
