/** All losses of tfjs, and the likelihood that each of them belongs to, in words. */
import * as tf from '@tensorflow/tfjs-core';

const CLASSES = 'categorical(), without label smoothing.';
const LABELS = 'bernoulli(), without label smoothing.';
const NUMBERS = 'gaussian(), of one noise variance.';
const LAPLACE = 'it belongs to Laplace noise, whose curvature is 0 almost everywhere, so that no likelihood here is its own.';
const OWN = 'it belongs to none of them; if it is an NLL, write it as a customLikelihood().';
const MARGIN = 'a margin is no likelihood; train with a cross-entropy, for categorical() or bernoulli().';
const ANGLE = 'an angle between vectors is no likelihood here; customLikelihood() takes one of your own.';

const ADVICE: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['meanSquaredError', NUMBERS],
  ['meanAbsoluteError', LAPLACE],
  ['meanAbsolutePercentageError', LAPLACE],
  ['meanSquaredLogarithmicError', 'gaussian(), for a model of log(1 + y) that is trained with the mean squared error.'],
  ['squaredHinge', MARGIN],
  ['hinge', MARGIN],
  ['categoricalHinge', MARGIN],
  ['logcosh', OWN],
  ['categoricalCrossentropy', CLASSES],
  ['sparseCategoricalCrossentropy', CLASSES],
  ['binaryCrossentropy', LABELS],
  ['kullbackLeiblerDivergence', CLASSES],
  ['poisson', 'poisson(), of the logarithm of the rate.'],
  ['cosineProximity', ANGLE],
  [tf.losses.absoluteDifference, LAPLACE],
  [tf.losses.cosineDistance, ANGLE],
  [tf.losses.hingeLoss, MARGIN],
  [tf.losses.huberLoss, OWN],
  [tf.losses.logLoss, LABELS],
  [tf.losses.meanSquaredError, NUMBERS],
  [tf.losses.sigmoidCrossEntropy, LABELS],
  [tf.losses.softmaxCrossEntropy, CLASSES],
]);

/** The likelihood that a loss of tfjs belongs to, or why there is none; undefined for a function of the user's own. */
export const adviceFor = (loss: unknown): string | undefined => ADVICE.get(loss) ?? (typeof loss === 'string' ? OWN : undefined);

/** tfjs's own functions end in an underscore inside: `softmaxCrossEntropy_`. */
export const lossName = (loss: unknown): string =>
  typeof loss === 'function' ? `tf.losses.${loss.name.replace(/_+(op)?_*$/, '') || '(anonymous)'}` : `'${String(loss)}'`;
