/**
 * A Fisher matrix of one's own: the given function, and checks of what it returns. The checks read one number from the device for each
 * chunk of a batch. Everything else (chunks of rows, weights of examples, the backward pass, structures) is as for the other Fisher matrices.
 */
import * as tf from '@tensorflow/tfjs-core';
import { func, make, type Options, optional, positiveInteger, text, variant } from '../../codec/index.js';
import { type ErrorParts, type LaplaceError, type LaplaceErrorKind, laplaceError } from '../../errors.js';
import { isTensor } from '../../network/arrays.js';
import { foldIn } from '../../random/key.js';
import type { FisherRule } from './fisher.js';

export const CustomFisher = variant('customFisher', {
  /** Says which Fisher matrix this is: factors can be merged if their Fisher matrices have the same name. */
  name: text,
  /**
   * The columns of a root, R [K, B, C], for a batch. f [B, C] are the outputs before the link. y [B, T] are the labels as the
   * likelihood's numbers, float32: one-hot rows for `categorical`. `seed` is another number for each batch, for functions that draw.
   */
  columns: func<(f: tf.Tensor2D, y: tf.Tensor2D, seed: number) => tf.Tensor3D>(
    'a function (f, y, seed) => columns of a root, [K, B, C]',
  ),
  /** K, the largest number of columns that the function returns. Default C, the number of outputs. */
  rowsPerExample: optional(positiveInteger),
});

/** The value of `customFisher`. */
export type CustomFisherValue = (typeof CustomFisher)['_A'];

/** Options of `customFisher`. */
export type CustomFisherOptions = Options<typeof CustomFisher>;

/**
 * A Fisher matrix of one's own, wherever `fisher` is taken: `kfac`, `ekfac`, `diagonal` and `full`. (`kfra` and `lowRank` send nothing
 * back, and take none.) Its function returns columns R [K, B, C] in the outputs f. They are sent back through the network, so the
 * curvature of example b is
 *
 *   Jᵀ Λ_b J,   Λ_b = Σ_k R_kb R_kbᵀ   [C, C]
 *
 * Scale: R_b belongs to the negative log-likelihood of example b alone, in nats, summed over its outputs. Do not divide by the batch
 * size, and do not apply weights of examples: the library does both. An average over K draws needs a factor 1/√K.
 *
 * Several outputs of a model stand side by side in f, and so do their labels in y. Under `perStep` f [B, S·C] has all steps side by
 * side, and y [B, S·(T + 1)] has the labels of each step and the step's weight.
 *
 * The function runs inside a `tf.tidy`. A covered last layer gets its rows as every other layer does: the closed form that `exact`
 * has there is not used. The value holds a function: `encodeRecipe` refuses it. Factors keep its name and no function, so they can be
 * cloned and stored.
 *
 * @throws LaplaceError `InvalidOption` for a missing name or function. The stream of factors ends with `InvalidOption` if the function
 *   returns no tensor, a tensor of another shape, or more columns than `rowsPerExample`, and with `NotFinite` for NaN or infinity.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, categorical, customFisher, kfac, observe } from 'tfjs-laplace';
 *
 * // Λ = diag(p): the Fisher matrix of a softmax without the coupling of the classes.
 * const uncoupled = customFisher({
 *   name: 'uncoupled classes',
 *   columns: (f) => {
 *     const C = f.shape[1];
 *     return tf.mul(tf.reshape(tf.eye(C), [C, 1, C]), tf.expandDims(tf.sqrt(tf.softmax(f)), 0));
 *   },
 * });
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * const data = { x: tf.randomNormal([8, 4]), y: tf.range(0, 8).mod(3).toInt() };
 * const factors = await lastValueFrom(
 *   from(batches(data, 4)).pipe(observe(model, categorical()), accumulateFactors(kfac({ fisher: uncoupled }))),
 * );
 * factors.rows / factors.count; // => 3
 * ```
 */
export const customFisher = (options: CustomFisherOptions): CustomFisherValue => make('customFisher', CustomFisher, options);

export const customFisherRule: FisherRule<CustomFisherValue> = {
  columns:
    (fisher) =>
    ({ outputs, targets, key }) =>
      checked(fisher, fisher.columns(outputs, targets, foldIn(key, 0).lo), outputs.shape),
  rowsPerExample: ({ rowsPerExample }, outputs) => rowsPerExample ?? outputs,
  isWhole: false,
  isTrainingStep: false,
};

/** What the function returned for outputs [B, C], as float32. Throws if it has another shape or is not finite. */
function checked({ name, rowsPerExample }: CustomFisherValue, found: unknown, [B, C]: readonly [number, number]): tf.Tensor3D {
  const refused = (kind: LaplaceErrorKind, returned: string, parts: Omit<ErrorParts, 'what'>): LaplaceError =>
    laplaceError(kind, { what: `columns of Fisher matrix '${name}' returned ${returned}`, field: 'fisher.columns', ...parts });
  const most = rowsPerExample ?? C;
  const expected = `[K, ${B}, ${C}] with K at most ${most}`;
  if (!isTensor(found)) {
    throw refused('InvalidOption', 'no tensor', { found: found === null ? 'null' : typeof found, expected });
  }
  const { rank, shape } = found;
  const fits = rank === 3 && shape[1] === B && shape[2] === C;
  if (!fits || (shape[0] as number) > most) {
    const remedy = fits ? { remedy: `State rowsPerExample: ${shape[0]}, or return fewer columns.` } : {};
    throw refused('InvalidOption', 'another shape', { found: `[${shape.join(', ')}]`, expected, ...remedy });
  }
  const columns = tf.cast(found, 'float32') as tf.Tensor3D;
  const sound = tf.tidy(() => tf.all(tf.isFinite(columns)).dataSync()[0]);
  if (sound) return columns;
  throw refused('NotFinite', 'numbers that are not finite', { found: 'NaN or Infinity', expected: 'finite numbers' });
}
