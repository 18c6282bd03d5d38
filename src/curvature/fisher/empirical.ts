/**
 * `empirical`: the second moments of the gradients at the training labels, one row for each example. It is not the Fisher matrix
 * (Kunstner, Balles & Hennig 2019). But it is free during training, where the callback takes the rows of the training step
 * itself. This file computes the rows for a separate pass over the data.
 */
import * as tf from '@tensorflow/tfjs-core';
import { make, variant } from '../../codec/index.js';
import type { FisherRule } from './fisher.js';

export const Empirical = variant('empirical', {});

/**
 * The second moments of the gradients at the training labels. They are a by-product of training; the other choices take a pass of
 * their own.
 *
 * @example
 * ```ts
 * import { empirical } from 'tfjs-laplace';
 *
 * empirical(); // => { _tag: 'empirical' }
 * ```
 */
export const empirical = (): (typeof Empirical)['_A'] => make('empirical', Empirical, {});

export const empiricalRule: FisherRule<unknown> = {
  columns:
    () =>
    ({ likelihoodOps, outputs, targets }) =>
      tf.expandDims(likelihoodOps.gradient(outputs, targets), 0),
  rowsPerExample: () => 1,
  isWhole: false,
  isTrainingStep: true,
  noisePower: 2,
};
