/**
 * `monteCarlo`: the Fisher as an expectation over labels that are drawn from the model's own predictive, k samples an example.
 * Unbiased for `exact`; its standard error falls with 1/√(k B). Martens & Grosse 2015, section 5.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Columns } from '../observation.js';

export const monteCarloColumns =
  (samples: number): Columns =>
  ({ likelihoodOps, outputs, targets, key }) =>
    // 1/√k on the gradients is 1/k on their second moments.
    tf.mul(likelihoodOps.sampledGradient(outputs, key, samples, targets), 1 / Math.sqrt(samples));
