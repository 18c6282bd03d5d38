/** The joint Gaussian over a network's outputs at many inputs: how the outputs vary together under the posterior. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { optionsOf, struct } from '../codec/index.js';
import { deviceError } from '../network/device.js';
import type { Inputs } from '../network/inputs.js';
import type { Network } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import type { Posterior } from '../posterior/posterior.js';
import { requireDirections } from '../posterior/variances.js';
import { type DevicePosterior, residentPosterior } from '../predictive/device/device.js';
import { covarianceBetween, jointCovariance } from '../predictive/linearised/joint.js';
import { type Rows, rowsOf } from '../predictive/prediction.js';
import { bindPosterior } from './bound.js';
import { ownInputs } from './inputSource.js';
import { memoryBudget, temperature } from './options.js';

/** f ~ N(mean, covariance) for all C outputs at all B inputs of a batch. Entry b·C + c belongs to output c of example b. */
export interface JointOutputs {
  /** f* [B·C]. */
  readonly mean: Float32Array;
  /** [B·C][B·C], symmetric; positive semi-definite up to float32 rounding. */
  readonly covariance: Rows;
}

/** Options of `jointDistribution` and `crossCovariance`. */
export interface JointOptions {
  /** T >= 0 multiplies the covariance. 0 gives the MAP. Default 1. */
  readonly temperature?: number;
  /** The most bytes to allocate on the device at once, beside the posterior and what one example takes. Default 2³⁰, 1 GiB. */
  readonly memoryBudget?: number;
}

const Options = struct('options', { temperature, memoryBudget });

/**
 * Mean and covariance of the linearised network's outputs at all inputs of a batch together, computed without Jacobians. This is
 * the prior of a Gaussian process whose mean is the trained network. The C × C blocks on the covariance's diagonal are the
 * covariances that `outputDistribution` gives. Use it for active learning, for Bayesian optimisation, and for the variance of a
 * sum or difference of predictions. The covariance does not contain the independent noise of the labels.
 *
 * Cost: a dense layer of n inputs and m outputs takes 2 B² m (n + C²) operations, a layer with several positions (convolution,
 * sequence) takes 2 B² C² n m. Each pair of pieces is computed once. The result has (B·C)² numbers, on the host.
 *
 * Rejects with `Mismatch` if the model's weights are not the posterior's, or change meanwhile; with `InvalidInput`, `InvalidModel`,
 * `InvalidOption` or `NotFinite`; with `UnsupportedLayer` for a structure of curvature that has no joint covariance; with `Backend`.
 *
 * Source: Immer, Korzepa & Bauer 2021 (the linearised network as a Gaussian process); Khan et al. 2019.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, jointDistribution, kfac, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const { covariance } = await jointDistribution(model, posterior, data.x);
 * covariance[0][2] === covariance[2][0]; // => true
 * ```
 */
export const jointDistribution = (
  model: LayersModel,
  posterior: Posterior,
  x: Inputs,
  options: JointOptions = {},
): Promise<JointOutputs> =>
  withPosterior('jointDistribution', model, posterior, [x], options, async (network, device, [own], memoryBudget) => {
    const { mean, covariance } = await jointCovariance(network, device, own as ReadonlyArray<tf.Tensor>, memoryBudget);
    return { mean, covariance: rowsOf(covariance, mean.length) };
  });

/**
 * Covariance between the linearised network's outputs at the B inputs `x` and at the B' inputs `x2`, [B·C][B'·C]. Entry (b·C + c,
 * b'·C + c') is Cov(f_c(x_b), f_c'(x2_b')). It costs as much as `jointDistribution` for B·B' pairs, and has the same errors.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, crossCovariance, gaussian, kfac, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const covariance = await crossCovariance(model, posterior, data.x, tf.tensor2d([[7, 8]]));
 * [covariance.length, covariance[0].length]; // => [3, 1]
 * ```
 */
export const crossCovariance = (
  model: LayersModel,
  posterior: Posterior,
  x: Inputs,
  x2: Inputs,
  options: JointOptions = {},
): Promise<Rows> =>
  withPosterior('crossCovariance', model, posterior, [x, x2], options, async (network, device, [left, right], memoryBudget) => {
    const others = right as ReadonlyArray<tf.Tensor>;
    const covariance = await covarianceBetween(network, device, left as ReadonlyArray<tf.Tensor>, others, memoryBudget);
    return rowsOf(covariance, (others[0]?.shape[0] as number) * network.outputs);
  });

/**
 * Checks the arguments, uploads the posterior and runs `work`. Then frees the posterior, and all inputs that were made from
 * arrays.
 */
async function withPosterior<A>(
  operation: string,
  model: LayersModel,
  posterior: Posterior,
  inputs: ReadonlyArray<Inputs>,
  options: JointOptions,
  work: (
    network: Network,
    device: DevicePosterior,
    inputs: ReadonlyArray<ReadonlyArray<tf.Tensor>>,
    memoryBudget: number,
  ) => Promise<A>,
): Promise<A> {
  const held: tf.Tensor[] = [];
  try {
    const own = optionsOf(operation, Options, options);
    const { network, check } = await bindPosterior(model, posterior);
    requireDirections(posterior, operation);
    const given = inputs.map((x) => {
      const tensors = orThrow(ownInputs(network, x));
      held.push(...tensors);
      return tensors;
    });
    const device = residentPosterior(network, posterior, own.temperature);
    try {
      const result = await work(network, device, given, own.memoryBudget);
      await check();
      return result;
    } finally {
      device.dispose();
    }
  } catch (error) {
    throw deviceError(error);
  } finally {
    tf.dispose(held);
  }
}
