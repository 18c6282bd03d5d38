/** Counts the operations of a pass, as `coverage` states them. */
import type * as tf from '@tensorflow/tfjs';
import { type Curvature, categorical, coverage, orThrow } from 'tfjs-laplace';

/**
 * Floating-point operations of one pass for one example.
 *
 * @param curvature an estimator that sends a fixed number of rows back; for the truncated Fisher the result is an upper bound
 */
export const passOperations = (model: tf.LayersModel, curvature: Curvature): number =>
  orThrow(coverage(model, { likelihood: categorical(), curvature })).operationsPerExample;
