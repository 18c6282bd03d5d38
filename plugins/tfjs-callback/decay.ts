/**
 * The prior in the training loss. tfjs's optimizers have no weight decay, so a step minimises
 *
 *   loss + Σ_l τ_l / (2 s B) ‖W_l‖²
 *
 * over the covered layers. The training loss is a mean over examples, B is the number of examples of the data set, and s turns the loss
 * into the NLL: so s B times this sum is the negative log of likelihood times prior. The term is a part of the gradient, not a
 * decay beside it (AdamW): with any optimizer the weights go to the maximum of the posterior, which a Laplace approximation is about.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Block, blockWeights } from 'tfjs-laplace/extend';

type Minimize = tf.Optimizer['minimize'];

/** Weights to penalise, and half the factor on their squared norm. */
export interface Penalty {
  readonly block: Block;
  /** τ / (s B). */
  readonly factor: number;
}

/** Adds the penalties of the moment to what `minimize` minimises. */
export const decayed =
  (penalties: () => ReadonlyArray<Penalty>) =>
  (minimize: Minimize): Minimize =>
  (loss, ...rest) =>
    minimize(() => tf.tidy(() => tf.addN([loss(), ...penalties().map(halfSquare)]) as tf.Scalar), ...rest);

const halfSquare = ({ block, factor }: Penalty): tf.Tensor => tf.mul(0.5 * factor, tf.sum(tf.square(blockWeights(block))));
