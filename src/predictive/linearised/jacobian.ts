/**
 * The Jacobian J of the outputs in the weights of one layer, along the directions of the layer's posterior. Under variances v of the
 * weights along these directions it adds J diag(v) Jᵀ to the covariance of the outputs. It does not depend on v, so it is computed once
 * and taken under as many variances as there are. The formulas and costs are those of `linearised.ts`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { concat, stacked } from '../../network/concat.js';
import type { Tape } from '../../network/forward.js';
import {
  mapWeightGradients,
  ownGradients,
  rotate,
  sameTokens,
  summedByToken,
  type WeightGradients,
} from '../../network/gradients.js';
import { timesTransposed } from '../../network/matmul.js';
import type { Block } from '../../network/network.js';
import { gradientsAt, inputsAt } from '../../network/positions.js';
import type { Stack } from '../../network/stack.js';
import type { DeviceDirections, DeviceForm, Want } from '../device/structure/structure.js';

/** A Jacobian of B examples and C outputs. */
export interface Jacobian {
  /** The tensors that it consists of. They belong to the caller's `tf.tidy`. */
  readonly tensors: ReadonlyArray<tf.Tensor>;
  /** What it adds under each of K forms of the layer: the covariances [K, B, C, C], or the variances [K, B, C]. */
  readonly under: (forms: ReadonlyArray<DeviceForm>) => tf.Tensor;
}

/** What computes a Jacobian: the directions, and what is wanted of the covariances. */
export interface JacobianOptions {
  readonly directions: DeviceDirections;
  readonly want: Want;
  /** The most numbers of weight gradients at once. */
  readonly numbers: number | undefined;
}

/** Uses the Jacobian of a chunk of examples. */
type Take<R extends tf.TensorContainer> = (jacobian: Jacobian) => R;

/**
 * The Jacobian in the weights of one block, from the gradients in its pre-activations, one tensor for each use.
 *
 * @returns what `take` makes of it, chunk by chunk of the examples
 */
export function jacobiansOfUses<R extends tf.TensorContainer>(
  options: JacobianOptions,
  block: Block,
  tape: Tape,
  uses: ReadonlyArray<tf.Tensor>,
  stack: Stack,
  take: Take<R>,
): ReadonlyArray<R> {
  const { inputVectors, gradientVectors } = options.directions;
  const plain = inputVectors === undefined && gradientVectors === undefined;
  const own = plain ? ownGradients(block, tape, uses, stack) : undefined;
  if (own === undefined) return jacobiansOfBlock(options, block, tape, gradientsAt(block, uses), stack, take);
  const [P, R, n, m] = own.shape;
  const B = tape.size;
  const rows = tf.reshape(tf.transpose(tf.reshape(own, [P, R / B, B, n * m]), [2, 1, 0, 3]), [B, R / B, P * n * m]);
  return [take(ofRows(rows as tf.Tensor3D, options.want))];
}

/** The same from the gradients g [P, C·B, T, m] at each position. */
function jacobiansOfBlock<R extends tf.TensorContainer>(
  { directions, want, numbers }: JacobianOptions,
  block: Block,
  tape: Tape,
  g: tf.Tensor4D,
  stack: Stack,
  take: Take<R>,
): ReadonlyArray<R> {
  const a = inputsAt(block, tape);
  const [P, B, T] = a.shape;
  const { n, m } = block;
  const C = g.shape[1] / B;
  const v = rotate(g, directions.gradientVectors);
  /** The gradients by example and output: [B, C, P·T·m]. */
  const byExample = (t: tf.Tensor): tf.Tensor3D =>
    tf.reshape(tf.transpose(tf.reshape(t, [P, C, B, T * m]), [2, 1, 0, 3]), [B, C, P * T * m]);
  if (block.map.inputs === 'tokens' && directions.inputVectors === undefined) {
    // The sum of v Ĝ_c Ĝ_c' over the tokens, as a sum over the steps that hold them.
    const tokens = tf.reshape(a, [B, T]) as tf.Tensor2D;
    const [left, right] = [byExample(v), byExample(summedByToken(sameTokens(a), v, stack))];
    const weights = (variances: ReadonlyArray<tf.Tensor3D>): tf.Tensor3D =>
      tf.stack(
        variances.map((own) => tf.reshape(tf.gather(tf.reshape(own, [n, m]), tokens), [B, T * m])),
        1,
      ) as tf.Tensor3D;
    return [take(weighted(left, right, want, [tokens], weights))];
  }
  if (T === 1) {
    const u = tf.reshape(tf.square(rotate(a, directions.inputVectors)), [P, B, n]) as tf.Tensor3D;
    const weights = (variances: ReadonlyArray<tf.Tensor3D>): tf.Tensor3D => {
      const K = variances.length;
      const q = tf.reshape(tf.matMul(u, concat(variances, 2)), [P, B, K, m]);
      return tf.reshape(P === 1 ? q : tf.transpose(q, [1, 2, 0, 3]), [B, K, P * m]);
    };
    const rows = byExample(v);
    return [take(weighted(rows, rows, want, [u], weights))];
  }
  const ofChunk = (G: WeightGradients): R =>
    take(ofRows(tf.reshape(tf.transpose(G, [1, 3, 0, 2, 4]), [-1, C, P * n * m]) as tf.Tensor3D, want));
  return mapWeightGradients(rotate(a, directions.inputVectors), v, stack, ofChunk, numbers);
}

/**
 * The Jacobian in several blocks that share one covariance (`full`), from the gradients of all their weights end to end, [B·C, W].
 */
export function jacobianOfCoupled(directions: DeviceDirections, rows: tf.Tensor2D, B: number, want: Want): Jacobian {
  const rotated = tf.matMul(rows, directions.inputVectors as tf.Tensor2D);
  return ofRows(tf.reshape(rotated, [B, rows.shape[0] / B, -1]), want);
}

const variancesOf = (forms: ReadonlyArray<DeviceForm>): ReadonlyArray<tf.Tensor3D> =>
  forms.map((form) => form.directions().variances);

/** A Jacobian whose rows [B, C, W] are there. */
function ofRows(rows: tf.Tensor3D, want: Want): Jacobian {
  const [B, C, W] = rows.shape;
  if (want === 'covariance') {
    return {
      tensors: [rows],
      under: (forms) =>
        stacked(
          variancesOf(forms).map((own) =>
            tf.tidy(() => {
              const scaled = tf.mul(rows, tf.sqrt(tf.reshape(own, [1, 1, W]))) as tf.Tensor3D;
              return timesTransposed(scaled, scaled);
            }),
          ),
        ),
    };
  }
  const squares = tf.reshape(tf.square(rows), [B * C, W]) as tf.Tensor2D;
  return {
    tensors: [squares],
    under: (forms) => {
      const tables = stacked(variancesOf(forms).map((own) => tf.reshape(own, [W]))) as tf.Tensor2D;
      return candidatesFirst(tf.reshape(timesTransposed(squares, tables), [B, C, forms.length]));
    },
  };
}

/**
 * A Jacobian whose products of two rows are left ⊙ right [B, C, D], summed with weights that depend on the example.
 *
 * @param inputs the tensors that `weights` uses
 * @param weights the weights [B, K, D] for K tables of variances
 */
function weighted(
  left: tf.Tensor3D,
  right: tf.Tensor3D,
  want: Want,
  inputs: ReadonlyArray<tf.Tensor>,
  weights: (variances: ReadonlyArray<tf.Tensor3D>) => tf.Tensor3D,
): Jacobian {
  if (want === 'covariance') {
    return {
      tensors: [...new Set([left, right]), ...inputs],
      under: (forms) =>
        stacked(
          tf
            .unstack(tf.expandDims(weights(variancesOf(forms)), 2), 1)
            .map((own) => tf.tidy(() => timesTransposed(tf.mul(left, own) as tf.Tensor3D, right))),
        ),
    };
  }
  const products = tf.mul(left, right) as tf.Tensor3D;
  return {
    tensors: [products, ...inputs],
    under: (forms) => candidatesFirst(timesTransposed(products, weights(variancesOf(forms)))),
  };
}

/** [B, C, K] to [K, B, C]. */
const candidatesFirst = (t: tf.Tensor3D): tf.Tensor => {
  const [B, C, K] = t.shape;
  return K === 1 ? tf.reshape(t, [1, B, C]) : tf.transpose(t, [2, 0, 1]);
};
