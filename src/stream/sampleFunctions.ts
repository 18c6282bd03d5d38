/** An operator from inputs to the values, at these inputs, of functions that are drawn from the posterior. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OperatorFunction } from 'rxjs';
import { defaulted, optionsOf, positiveInteger, struct } from '../codec/index.js';
import { orThrow } from '../orThrow.js';
import type { Posterior } from '../posterior/posterior.js';
import { sampledFunctions } from '../predictive/linearised/functions.js';
import { type Rows, rowsOf } from '../predictive/prediction.js';
import type { Design } from '../random/noise.js';
import { bindPosterior } from './bound.js';
import { type InputSource, ownInputs } from './inputSource.js';
import { DRAWS, memoryBudget } from './options.js';
import { sequential } from './sequential.js';

/** Options of `sampleFunctions`. */
export interface SampleFunctionsOptions {
  /** S: how many functions. Default 10. */
  readonly samples?: number;
  /** T >= 0 multiplies the covariance. 0 gives the MAP. Default 1. */
  readonly temperature?: number;
  /** For one seed, function s is the same on every backend, at all inputs, whatever the number of samples. Default 0. */
  readonly seed?: number;
  /** How the functions are related: `'independent'` (the default), `'antithetic'` or `'quasiRandom'`, as in `sampleModels`. */
  readonly design?: Design;
  /**
   * The most bytes to allocate on the device at once, beside the posterior, one draw and what one example takes. Half of them keep
   * draws of weights from batch to batch. Default 2³⁰, 1 GiB.
   */
  readonly memoryBudget?: number;
}

const Options = struct('options', { samples: defaulted(positiveInteger, 10), ...DRAWS, memoryBudget });

/** Values of functions at the inputs of one batch, before the likelihood's link. */
export interface SampledFunctions {
  /** f* [B][C]: the values of the trained network. */
  readonly mean: Rows;
  /** f_s [S][B][C]: the values of each function. */
  readonly functions: ReadonlyArray<Rows>;
}

/**
 * Draws functions from the posterior of the linearised network, and evaluates them at each batch of inputs: f_s = f* + J δ_s. δ_s
 * is what `sampleModels` with the same seed adds to the weights of its network s. The functions are fixed and as smooth as the
 * network: they are the same at all inputs, in all batches and calls. So this is an operator over inputs, as `predict` is.
 * Thompson sampling takes the best input of each function, and plots draw the functions as curves. The values have the joint
 * Gaussian of `jointDistribution`, at a cost that grows with the number of inputs instead of the number of pairs.
 *
 * Cost: one backward pass of B·C rows for each batch. Each function takes a draw of all weights, and a forward pass through the
 * covered layers for each batch. A draw is made once for each subscription if all draws fit into half of `memoryBudget`. The draws
 * that do not fit are made once for each batch.
 *
 * Errors of the stream: the errors of `predict`; `UnsupportedLayer` for a structure of curvature that does not allow it.
 *
 * @throws LaplaceError `InvalidOption` for an option that is out of range.
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
 * const { functions } = await lastValueFrom(from([data.x]).pipe(sampleFunctions(model, posterior, { samples: 4, seed: 7 })));
 * [functions.length, functions[0].length, functions[0][0].length]; // => [4, 3, 1]
 * ```
 */
export function sampleFunctions(
  model: LayersModel,
  posterior: Posterior,
  options: SampleFunctionsOptions = {},
): OperatorFunction<InputSource, SampledFunctions> {
  const { memoryBudget: budget, ...draws } = optionsOf('sampleFunctions', Options, options);
  return sequential(async () => {
    const { network, check } = await bindPosterior(model, posterior);
    const drawn = sampledFunctions(network, posterior, draws, budget);
    return {
      run: async function* (source) {
        await check();
        const x = orThrow(ownInputs(network, source));
        const { mean, values } = await drawn.run(x, (own) => ({ ...own })).finally(() => tf.dispose(x));
        await check();
        const C = network.outputs;
        yield { mean: rowsOf(mean, C), functions: bySample(values, draws.samples, C) };
      },
      close: drawn.dispose,
    };
  });
}

/** Turns values [B, S, C] into rows [S][B][C]. */
function bySample(values: Float32Array, S: number, C: number): ReadonlyArray<Rows> {
  const rows = rowsOf(values, C);
  return Array.from({ length: S }, (_, s) => Array.from({ length: rows.length / S }, (_, b) => rows[b * S + s] as Float32Array));
}
