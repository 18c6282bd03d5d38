/**
 * `empirical`: second moments of the gradients at the training labels, one row an example. Not the Fisher (Kunstner, Balles &
 * Hennig 2019), but free during training. This is its form for a pass of its own; the callback takes the rows of the training
 * step itself.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Columns } from '../observation.js';

export const empiricalColumns: Columns = ({ likelihoodOps, outputs, targets }) =>
  tf.expandDims(likelihoodOps.gradient(outputs, targets), 0);
