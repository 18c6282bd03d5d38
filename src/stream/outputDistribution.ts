/** The Gaussian over a network's outputs before the link, for your own computations. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { optionsOf, struct } from '../codec/index.js';
import { laplaceError } from '../errors.js';
import { LARGEST_RESULT } from '../limits.js';
import { deviceError } from '../network/device.js';
import type { Inputs } from '../network/inputs.js';
import { orThrow } from '../orThrow.js';
import type { Posterior } from '../posterior/posterior.js';
import { linearisedPieces } from '../predictive/linearised/linearisedPieces.js';
import { type Rows, rowsOf } from '../predictive/prediction.js';
import { bindPosterior } from './bound.js';
import { ownInputs } from './inputSource.js';
import { memoryBudget, temperature } from './options.js';

/** f ~ N(mean, covariance) for each of B examples with C outputs. */
export interface Outputs {
  /** f* [B][C]. */
  readonly mean: Rows;
  /** [B][C·C]: the covariance matrix of each example, row by row. */
  readonly covariance: Rows;
}

/**
 * Mean and full covariance of the linearised network's outputs for one batch, before the link. Several outputs stand side by side
 * in the model's order, and the covariance also says how they vary together. Allocates at most `memoryBudget` bytes on the
 * device. Rejects as `predict` does, and with `InvalidInput` when B·C² is more than 2²⁸ numbers.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe, outputDistribution, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1, 0], [2, 1], [3, 0]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const { covariance } = await outputDistribution(model, posterior, data.x);
 * covariance[0].length; // => 4
 * ```
 */
export const outputDistribution = (
  model: LayersModel,
  posterior: Posterior,
  x: Inputs,
  options: OutputOptions = {},
): Promise<Outputs> =>
  distribution(model, posterior, x, options).catch((error: unknown) => {
    throw deviceError(error);
  });

/** Options of `outputDistribution`. */
export interface OutputOptions {
  /** T >= 0 multiplies the covariance. Default 1. */
  readonly temperature?: number;
  /** The most bytes to allocate on the device, beside the model and the batch, as for `predict`. Default 1 GiB. */
  readonly memoryBudget?: number;
}

const Options = struct('options', { temperature, memoryBudget });

/** Throws `InvalidInput` if the covariances of a batch are too large. */
function checkSize(B: number, C: number): void {
  if (B * C * C <= LARGEST_RESULT) return;
  const most = Math.floor(LARGEST_RESULT / (C * C));
  throw laplaceError('InvalidInput', {
    what: 'The covariances of this batch are too large',
    field: 'x',
    found: `${B} examples with ${C} outputs, ${B}·${C}² numbers`,
    expected: most > 0 ? `at most ${most} examples of so many outputs at a time` : `at most ${Math.sqrt(LARGEST_RESULT)} outputs`,
    remedy: 'Use predict, which needs no full covariances where there are many outputs, and takes any batch.',
  });
}

async function distribution(model: LayersModel, posterior: Posterior, x: Inputs, options: OutputOptions): Promise<Outputs> {
  const own = optionsOf('outputDistribution', Options, options);
  const { network, check } = await bindPosterior(model, posterior);
  const pieces = linearisedPieces(network, posterior, own.temperature, 'covariance', own.memoryBudget);
  let inputs: tf.Tensor[] = [];
  try {
    inputs = orThrow(ownInputs(network, x));
    checkSize(inputs[0]?.shape[0] as number, network.outputs);
    const { mean, covariance } = await pieces.run(inputs, (outputs) => ({ ...outputs }));
    await check();
    const C = network.outputs;
    return { mean: rowsOf(mean, C), covariance: rowsOf(covariance, C * C) };
  } finally {
    tf.dispose(inputs);
    pieces.dispose();
  }
}
