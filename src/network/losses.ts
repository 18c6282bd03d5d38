/** Says, for every loss of tfjs, which likelihood the loss belongs to. */
import * as tf from '@tensorflow/tfjs-core';

const CLASSES = 'categorical(), without label smoothing.';
const LABELS = 'bernoulli(), without label smoothing.';
const NUMBERS = 'gaussian(), with one noise variance.';
const LAPLACE = 'there is none. The loss belongs to Laplace noise, whose curvature is 0 almost everywhere.';
const OWN = 'there is none. If the loss is an NLL, write it as a customLikelihood().';
const MARGIN = 'there is none, as a margin is no likelihood. Train with a cross-entropy, for categorical() or bernoulli().';
const ANGLE = 'there is none for an angle between vectors. Write your own as a customLikelihood().';

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
  ['poisson', 'poisson(), whose outputs are the logarithm of the rate.'],
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

/** The likelihood that a loss of tfjs belongs to, or why there is none. Undefined for a function that the user wrote. */
export const adviceFor = (loss: unknown): string | undefined => ADVICE.get(loss) ?? (typeof loss === 'string' ? OWN : undefined);

/** A loss's name for messages. The names of tfjs's functions end in an underscore (`softmaxCrossEntropy_`), which is dropped. */
export const lossName = (loss: unknown): string =>
  typeof loss === 'function' ? `tf.losses.${loss.name.replace(/_+(op)?_*$/, '') || '(anonymous)'}` : `'${String(loss)}'`;
