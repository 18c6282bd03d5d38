/**
 * Weights of examples by their class, as the `classWeight` of `fit` has them: each example's loss times the weight of its class. tfjs
 * then divides the sum by the number of examples, whatever their weights: the training's objective is Σ_b w_b NLL_b / B.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LikelihoodOps } from './likelihood.js';

/** The `weights` of a likelihood, if classes have any; `classes` gives the class numbers [B] of targets. */
export const classWeights = (
  weights: ReadonlyArray<number> | undefined,
  classes: (targets: tf.Tensor2D) => tf.Tensor1D,
): Pick<LikelihoodOps, 'weights'> =>
  weights === undefined ? {} : { weights: (targets) => tf.gather(tf.tensor1d([...weights]), classes(targets)) };
