/**
 * `monteCarlo`: the Fisher as an expectation over labels that are drawn from the model's own predictive, k for each example. It is unbiased
 * for `exact`; its standard error falls with 1/√(k B). Martens & Grosse 2015, section 5.
 */
import * as tf from '@tensorflow/tfjs-core';
import { defaulted, make, type Options, positiveInteger, seed, variant } from '../../codec/index.js';
import type { FisherRule } from './fisher.js';

export const MonteCarlo = variant('monteCarlo', {
  /** Labels drawn for each example. */
  samples: defaulted(positiveInteger, 1),
  seed: defaulted(seed, 0),
});

/** The value of `monteCarlo`. */
export type MonteCarloFisher = (typeof MonteCarlo)['_A'];

/** Options of `monteCarlo`. */
export type MonteCarloOptions = Options<typeof MonteCarlo>;

/**
 * Rows at labels that are drawn from the model's own predictive, `samples` for each example: an unbiased estimate of the exact Fisher.
 * Give the parts of a data set that are merged seeds of their own.
 *
 * @throws LaplaceError `InvalidOption` for a number of samples that is no integer >= 1, or a seed that is no 32-bit integer >= 0.
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
      // 1/√k on the gradients is 1/k on their second moments.
      tf.mul(likelihoodOps.sampledGradient(outputs, key, samples, targets), 1 / Math.sqrt(samples)),
  rowsPerExample: ({ samples }) => samples,
  isWhole: false,
  isTrainingStep: false,
};
