/** Operations of one pass over an example, with as many rows as are sent back at most: those that coverage tells beforehand. */
import type * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { type Curvature, categorical, coverage } from 'tfjs-laplace';

export function passOperations(model: tf.LayersModel, curvature: Curvature): number {
  const found = coverage(model, { likelihood: categorical(), curvature });
  if (E.isLeft(found)) throw found.left;
  return found.right.operationsPerExample;
}
