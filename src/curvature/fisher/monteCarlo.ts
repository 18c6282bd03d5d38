/**
 * `monteCarlo`: the Fisher matrix as an average over labels that are drawn from the model's own predictive, k labels for each
 * example. It is an unbiased estimate of `exact`, and its standard error falls as 1/√(k B). Martens & Grosse 2015, section 5.
 */
import * as tf from '@tensorflow/tfjs-core';
import { defaulted, make, type Options, positiveInteger, seed, variant } from '../../codec/index.js';
import type { FisherRule } from './fisher.js';

export const MonteCarlo = variant('monteCarlo', {
  /** How many labels are drawn for each example. */
  samples: defaulted(positiveInteger, 1),
  seed: defaulted(seed, 0),
});

/** The value of `monteCarlo`. */
export type MonteCarloFisher = (typeof MonteCarlo)['_A'];

/** Options of `monteCarlo`. */
export type MonteCarloOptions = Options<typeof MonteCarlo>;

/**
 * An unbiased estimate of the exact Fisher matrix: rows at labels that are drawn from the model's own predictive, `samples` for
 * each example. If you merge factors of several parts of a data set, give each part its own seed.
 *
 * @throws LaplaceError `InvalidOption` if `samples` is not an integer >= 1, or `seed` is not a 32-bit integer >= 0.
 *
 * @example
 * ```ts
 * import { monteCarlo } from 'tfjs-laplace';
 *
 * monteCarlo({ samples: 4 }); // => { _tag: 'monteCarlo', samples: 4, seed: 0 }
 * ```
 */
export const monteCarlo = (options: MonteCarloOptions = {}): MonteCarloFisher => make('monteCarlo', MonteCarlo, options);

export const monteCarloRule: FisherRule<MonteCarloFisher> = {
  columns:
    ({ samples }) =>
    ({ likelihoodOps, outputs, targets, key }) =>
      // Gradients scaled by 1/√k have second moments scaled by 1/k.
      tf.mul(likelihoodOps.sampledGradient(outputs, key, samples, targets), 1 / Math.sqrt(samples)),
  rowsPerExample: ({ samples }) => samples,
  isWhole: false,
  isTrainingStep: false,
  noisePower: 1,
};
