/**
 * Bernoulli likelihood: K independent labels (K = 1 for a binary classifier), p = sigmoid(f), NLL = Σ_k softplus(f_k) − y_k f_k,
 * Λ = diag(p (1 − p)). Labels are numbers in [0, 1] of shape [B, K], or [B] if K = 1.
 *
 * Label smoothing α turns labels into (1 − α) y + α/2, as `tf.losses.sigmoidCrossEntropy` does. Class weights [w₀, w₁] belong to
 * the two classes of a single label.
 */
import * as tf from '@tensorflow/tfjs-core';
import { make, variant } from '../codec/index.js';
import { foldIn } from '../random/key.js';
import { uniforms } from '../random/normals.js';
import { type ClassOptions, classFields, classWeights } from './classOptions.js';
import { independentHessian } from './hessian.js';
import { allOf, diagonalColumns, numberLabels } from './independent.js';
import type { LikelihoodOps } from './likelihood.js';

export const Bernoulli = variant('bernoulli', classFields);

/** The value of `bernoulli`. */
type Value = (typeof Bernoulli)['_A'];

/**
 * Yes or no for each output on its own: p = sigmoid(f). Labels are numbers in [0, 1], [B, C], or [B] for one output.
 *
 * `labelSmoothing` α turns labels into (1 − α) y + α/2. `classWeights` [w₀, w₁] weigh each example by its label. They are for one
 * output only.
 *
 * @throws LaplaceError `InvalidOption` for α outside [0, 1) or a weight below 0.
 *
 * @example
 * ```ts
 * import { bernoulli } from 'tfjs-laplace';
 *
 * bernoulli(); // => { _tag: 'bernoulli', labelSmoothing: 0 }
 * ```
 */
export const bernoulli = (options: ClassOptions = {}): Value => make('bernoulli', Bernoulli, options);

const labels = numberLabels('numbers in [0, 1]');

/** p (1 − p), computed as sigmoid(f) sigmoid(−f). The difference 1 − p would lose all digits for p near 1. */
const variances = (f: tf.Tensor2D): tf.Tensor2D => tf.mul(tf.sigmoid(f), tf.sigmoid(tf.neg(f)));

/** The operations of the likelihood. */
export const bernoulliOps = ({ labelSmoothing, classWeights: weights }: Value): LikelihoodOps<'labels'> => ({
  name: 'bernoulli',
  predicts: 'labels',
  links: ['sigmoid'],
  forbidden: ['softmax', 'logSoftmax', 'hardSigmoid'],
  outputsFit: (K) => K === 1 || (K > 1 && weights === undefined),
  outputs: weights === undefined ? 'C >= 1' : 'C = 1, for class weights',
  ...(labelSmoothing > 0
    ? { losses: [], ownLoss: `(y, f) => tf.losses.sigmoidCrossEntropy(y, f, undefined, ${labelSmoothing}), on logits` }
    : { losses: LOSSES }),
  ...labels,
  targets: (y, K) => {
    const given = labels.targets(y, K);
    return labelSmoothing > 0 ? tf.add(tf.mul(given, 1 - labelSmoothing), labelSmoothing / 2) : given;
  },
  labelsInRange: (y) => {
    const values = tf.cast(y, 'float32');
    return allOf(tf.logicalAnd(tf.greaterEqual(values, 0), tf.lessEqual(values, 1)));
  },
  // Smoothing keeps a label on its side of ½.
  ...classWeights(weights, (targets) => tf.reshape(tf.cast(tf.greater(targets, 0.5), 'int32'), [-1])),
  logLikelihoods: (f, targets) => tf.sum(tf.sub(tf.mul(targets, f), tf.softplus(f)), 1),
  gradient: (f, targets) => tf.sub(tf.sigmoid(f), targets),
  hessianRoot: (f) => diagonalColumns(tf.sqrt(variances(f))),
  hessian: independentHessian(variances),
  sampledGradient: (f, key, samples) => {
    const [B, K] = f.shape;
    const p = tf.sigmoid(f);
    const u = tf.tensor(uniforms(foldIn(key, 0), samples * B * K), [samples, B, K]);
    return tf.sub(tf.expandDims(p, 0), tf.cast(tf.less(u, tf.expandDims(p, 0)), 'float32')) as tf.Tensor3D;
  },
  mean: (f) => tf.sigmoid(f),
});

/** tfjs averages over the K labels; the likelihood sums over them. */
const LOSSES: LikelihoodOps['losses'] = [
  { loss: 'binaryCrossentropy', takes: 'outputs', scale: (K) => K },
  { loss: tf.losses.sigmoidCrossEntropy, takes: 'logits', scale: (K) => K },
  { loss: tf.losses.logLoss, takes: 'outputs', scale: (K) => K },
];
