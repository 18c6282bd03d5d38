/** Counts the operations of a pass, as `coverage` states them. */
import type * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { type Curvature, categorical, coverage } from 'tfjs-laplace';

/**
 * Floating-point operations of one pass for one example.
 *
 * @param curvature an estimator that sends a fixed number of rows back; for the truncated Fisher the result is an upper bound
 */
export function passOperations(model: tf.LayersModel, curvature: Curvature): number {
  const found = coverage(model, { likelihood: categorical(), curvature });
  if (E.isLeft(found)) throw found.left;
  return found.right.operationsPerExample;
}
