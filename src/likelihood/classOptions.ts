/**
 * Options of `categorical` and `bernoulli`. Class weights are the `classWeight` of `fit`: the loss of an example is multiplied by
 * the weight of its class. tfjs divides the sum by the number of examples, whatever their weights. So training minimises Σ_b w_b
 * NLL_b / B.
 */
import * as tf from '@tensorflow/tfjs-core';
import { array, defaulted, type FieldsInput, fraction, nonNegative, optional } from '../codec/index.js';
import type { LikelihoodOps } from './likelihood.js';

export const classFields = {
  /** α: labels become (1 − α) y + α/C, as tfjs's losses smooth them. */
  labelSmoothing: defaulted(fraction, 0),
  /** The weight >= 0 of each class, as in `classWeight` of `fit`. If absent, every example has weight 1. */
  classWeights: optional(array('an array of weights, one for each class', nonNegative)),
};

/** Options of `categorical` and `bernoulli`. */
export type ClassOptions = FieldsInput<typeof classFields>;

/** The operation `weights` of a likelihood, present if classes have weights. `classes` gives the class numbers [B] of targets. */
export const classWeights = (
  weights: ReadonlyArray<number> | undefined,
  classes: (targets: tf.Tensor2D) => tf.Tensor1D,
): Pick<LikelihoodOps, 'weights'> =>
  weights === undefined ? {} : { weights: (targets) => tf.gather(tf.tensor1d([...weights]), classes(targets)) };
