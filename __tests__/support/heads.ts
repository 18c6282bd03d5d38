/** A network with two outputs, the same as one of a single output, and each output by itself: all of the same layers. */
import * as tf from '@tensorflow/tfjs';
import { categorical, gaussian, perOutput } from 'tfjs-laplace';
import { dense, inputsFor, on, withWeights } from './math/networks.js';

/** Outputs of `digit`, before and after its softmax, and of `angle`. */
export const DIGITS = 3;
export const ANGLES = 2;

export const NOISE = [0.3, 4];
export const DIGIT = categorical();
export const ANGLE = gaussian({ noiseVariance: NOISE });
export const BOTH = perOutput({ digit: DIGIT, angle: ANGLE });

export interface TwoHeads {
  readonly model: tf.LayersModel;
  /** f as one output: the logits of `digit`, then `angle`. */
  readonly side: tf.LayersModel;
  readonly digit: tf.LayersModel;
  readonly angle: tf.LayersModel;
}

/** A trunk with a classifier and a regression on top; `angle` reads the trunk through a layer of its own. */
export function twoHeads(): TwoHeads {
  const inputs = tf.input({ shape: [3] });
  const trunk = on(dense(4, { activation: 'tanh', name: 'trunk' }), inputs);
  const logits = on(dense(DIGITS, { name: 'logits' }), trunk);
  const digit = on(tf.layers.activation({ activation: 'softmax', name: 'digit' }), logits);
  const angle = on(dense(ANGLES, { name: 'angle' }), on(dense(3, { activation: 'softplus', name: 'own' }), trunk));
  const model = withWeights(tf.model({ inputs, outputs: [digit, angle] }), 3);
  return {
    model,
    side: tf.model({ inputs, outputs: on(tf.layers.concatenate(), logits, angle) }),
    digit: tf.model({ inputs, outputs: digit }),
    angle: tf.model({ inputs, outputs: angle }),
  };
}

/** N examples: class numbers, and numbers. */
export function headData(model: tf.LayersModel, N: number, seed = 5) {
  const digit = tf.tidy(() => tf.range(0, N).mul(2).mod(DIGITS));
  const angle = tf.tidy(() => tf.reshape(tf.sin(tf.range(seed, seed + N * ANGLES).mul(2)), [N, ANGLES]));
  return { x: inputsFor(model, N, seed) as [tf.Tensor], y: { digit, angle } };
}
