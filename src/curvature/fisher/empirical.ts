/**
 * `empirical`: second moments of the gradients at the training labels, one row an example. It is not the Fisher (Kunstner, Balles & Hennig
 * 2019), but free during training: the callback takes the rows of the training step itself. This is its form for a pass of its own.
 */
import * as tf from '@tensorflow/tfjs-core';
import { variant } from '../../codec/index.js';
import type { FisherRule } from './fisher.js';

export const Empirical = variant('empirical', {});

export const empirical: FisherRule<unknown> = {
  columns:
    () =>
    ({ likelihoodOps, outputs, targets }) =>
      tf.expandDims(likelihoodOps.gradient(outputs, targets), 0),
  rowsPerExample: () => 1,
  isWhole: false,
  isTrainingStep: true,
};
