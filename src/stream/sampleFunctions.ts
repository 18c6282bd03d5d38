/** Inputs to the values that functions drawn from the posterior have there. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OperatorFunction } from 'rxjs';
import { MEMORY_BUDGET } from '../limits.js';
import { notDisposed } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import { sampledFunctions } from '../predictive/linearised/functions.js';
import { type Rows, rowsOf } from '../predictive/prediction.js';
import type { Draws } from '../random/noise.js';
import { bindPosterior } from './bound.js';
import { type InputSource, ownInputs } from './inputSource.js';
import { orThrow } from './observed.js';
import { checkDraws, checkFiniteCount, checkTemperature } from './options.js';
import { sequential } from './sequential.js';

/** Options of `sampleFunctions`. */
export interface SampleFunctionsOptions {
  /** How many functions. Default 10. */
  readonly count?: number;
  /** T >= 0, scales the covariance; 0 gives the MAP. Default 1. */
  readonly temperature?: number;
  /** Function s of a seed is the same on every backend, at all inputs, whatever the count. Default 0. */
  readonly seed?: number;
  /** How the functions are related: `'independent'` (the default), `'antithetic'` or `'quasiRandom'`, as in `sampleModels`. */
  readonly draws?: Draws;
  /**
   * Bytes that may be made on the device at once, beside the posterior, one draw and what one example takes: half of them keep draws of
   * weights from batch to batch. Default 2³⁰, 1 GiB.
   */
  readonly memoryBudget?: number;
}

/** Values of functions at the inputs of one batch, before the likelihood's link. */
export interface SampledFunctions {
  /** f* [B][C], the trained network. */
  readonly mean: Rows;
  /** f_s [S][B][C]. */
  readonly functions: ReadonlyArray<Rows>;
}

/**
 * Evaluates functions drawn from the posterior of the linearised network at each batch of inputs: f* + J δ_s, where δ_s is what
 * `sampleModels` of the same seed adds to the weights of its network s. They are fixed functions, as smooth as the network: the
 * same at all inputs, in all batches and calls. An operator over inputs, as `predict` is, for what is asked of fixed functions are their
 * values at ever new places: Thompson sampling takes the best input of each, plots draw them as curves. Jointly they are the Gaussian
 * of `jointDistribution`, at a cost that grows with the inputs and not with their pairs.
 *
 * Cost: one backward pass of B·C rows a batch; for every function a draw of all weights once a subscription (as long as draws fill no
 * more than half of `memoryBudget`; beyond, once a batch) and a forward pass through the covered layers.
 *
 * Errors of the stream: those of `predict`, `InvalidOption`, and `UnsupportedLayer` for a structure of curvature that it does not know.
 *
 * Source: Immer, Korzepa & Bauer 2021; Antorán et al. 2023 (samples of the linearised network).
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe, sampleFunctions, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const { functions } = await lastValueFrom(from([data.x]).pipe(sampleFunctions(model, posterior, { count: 4, seed: 7 })));
 * [functions.length, functions[0].length, functions[0][0].length]; // => [4, 3, 1]
 * ```
 */
export const sampleFunctions = (
  model: LayersModel,
  posterior: Posterior,
  { count = 10, temperature = 1, seed = 0, draws = 'independent', memoryBudget = MEMORY_BUDGET }: SampleFunctionsOptions = {},
): OperatorFunction<InputSource, SampledFunctions> =>
  sequential(async () => {
    checkFiniteCount(count);
    checkTemperature(temperature);
    checkDraws(draws);
    const network = await bindPosterior(model, posterior);
    const drawn = sampledFunctions(network, posterior, { samples: count, temperature, seed, draws }, memoryBudget);
    return {
      run: async function* (source) {
        orThrow(notDisposed(model));
        const x = ownInputs(network, source);
        const { mean, values } = await drawn.run(x, (own) => ({ ...own })).finally(() => tf.dispose(x));
        const C = network.outputs;
        yield { mean: rowsOf(mean, C), functions: bySample(values, count, C) };
      },
      close: drawn.dispose,
    };
  });

/** Values [B, S, C] as rows [S][B][C]. */
function bySample(values: Float32Array, S: number, C: number): ReadonlyArray<Rows> {
  const rows = rowsOf(values, C);
  return Array.from({ length: S }, (_, s) => Array.from({ length: rows.length / S }, (_, b) => rows[b * S + s] as Float32Array));
}
