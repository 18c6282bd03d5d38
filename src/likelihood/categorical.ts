/**
 * Categorical likelihood: p = softmax(f), NLL = −Σ_c y_c log p_c, Λ = diag(p) − p pᵀ with the root λ_c = √p_c (e_c − p), which
 * has C columns and rank C − 1. Labels are class numbers [B] or [B, 1], or one-hot rows [B, C], or rows of probabilities [B, C].
 *
 * Label smoothing α turns labels into (1 − α) y + α/C, as `tf.losses.softmaxCrossEntropy` does. Λ does not depend on labels.
 */
import * as tf from '@tensorflow/tfjs-core';
import { make, variant } from '../codec/index.js';
import { foldIn } from '../random/key.js';
import { uniforms } from '../random/normals.js';
import { type ClassOptions, classFields, classWeights } from './classOptions.js';
import { simplexHessian } from './hessian.js';
import { allOf } from './independent.js';
import type { LikelihoodOps } from './likelihood.js';

export const Categorical = variant('categorical', classFields);

/** The value of `categorical`. */
type Value = (typeof Categorical)['_A'];

/**
 * One of C classes: p = softmax(f). Labels are class numbers [B] or rows [B, C] that add up to 1.
 *
 * `labelSmoothing` α turns labels into (1 − α) y + α/C. `classWeights` has one number for each class. It weighs each example by
 * the class of its label, in the log-likelihood and in the curvature, as `classWeight` of `fit` weighs the loss.
 *
 * @throws LaplaceError `InvalidOption` for α outside [0, 1) or a weight below 0.
 *
 * @example
 * ```ts
 * import { categorical } from 'tfjs-laplace';
 *
 * categorical(); // => { _tag: 'categorical', labelSmoothing: 0 }
 * categorical({ classWeights: [1, 5, 1] }); // => { _tag: 'categorical', labelSmoothing: 0, classWeights: [1, 5, 1] }
 * ```
 */
export const categorical = (options: ClassOptions = {}): Value => make('categorical', Categorical, options);

/** One-hot rows must add up to 1 within this tolerance. It covers the float32 rounding of C terms; no wrong label passes it. */
const ROW_SUM_TOLERANCE = 1e-3;

const isClassNumbers = (shape: ReadonlyArray<number>): boolean => shape.length === 1 || (shape.length === 2 && shape[1] === 1);

const classNumbers = (y: tf.Tensor): tf.Tensor1D => tf.reshape(tf.cast(y, 'float32'), [-1]);

const probabilities = (f: tf.Tensor2D): tf.Tensor2D => tf.softmax(f);

/** The operations of the likelihood. */
export const categoricalOps = ({ labelSmoothing, classWeights: weights }: Value): LikelihoodOps<'classes'> => ({
  name: 'categorical',
  predicts: 'classes',
  links: ['softmax', 'logSoftmax'],
  forbidden: ['sigmoid', 'hardSigmoid'],
  outputsFit: (C) => C >= 2 && (weights === undefined || weights.length === C),
  remedy: (C) => (C === 1 ? 'For one output use bernoulli().' : ''),
  outputs: weights === undefined ? 'C >= 2' : `C = ${weights.length}, one for each class weight`,
  ...(labelSmoothing > 0
    ? { losses: [], ownLoss: `(y, f) => tf.losses.softmaxCrossEntropy(y, f, undefined, ${labelSmoothing}), on logits` }
    : { losses: LOSSES }),
  labels: (C) => `class numbers 0 … ${C - 1} of shape [B] or [B, 1], or one-hot rows of shape [B, ${C}] that add up to 1`,
  labelShapeFits: (shape, size, C) => shape[0] === size && (isClassNumbers(shape) || (shape.length === 2 && shape[1] === C)),
  targets: (y, C) => {
    const rows = isClassNumbers(y.shape)
      ? tf.cast(tf.oneHot(tf.cast(classNumbers(y), 'int32'), C) as tf.Tensor2D, 'float32')
      : (tf.cast(y, 'float32') as tf.Tensor2D);
    return labelSmoothing > 0 ? tf.add(tf.mul(rows, 1 - labelSmoothing), labelSmoothing / C) : rows;
  },
  targetWidth: (C) => C,
  labelsInRange: (y, C) => {
    if (isClassNumbers(y.shape)) {
      const k = classNumbers(y);
      const inRange = tf.logicalAnd(tf.greaterEqual(k, 0), tf.lessEqual(k, C - 1));
      return allOf(tf.logicalAnd(inRange, tf.equal(k, tf.floor(k))));
    }
    const rows = tf.cast(y, 'float32');
    const sums = tf.less(tf.abs(tf.sub(tf.sum(rows, 1), 1)), ROW_SUM_TOLERANCE);
    return tf.mul(allOf(tf.greaterEqual(rows, 0)), allOf(sums));
  },
  ...classWeights(weights, (targets) => tf.argMax(targets, 1)),
  logLikelihoods: (f, targets) => tf.sum(tf.mul(targets, tf.logSoftmax(f)), 1),
  // Soft labels add up to s = 1 up to rounding, and the exact gradient is s p − y. The difference is below the rounding of p
  // itself.
  gradient: (f, targets) => tf.sub(probabilities(f), targets),
  hessianRoot: (f) => {
    const C = f.shape[1];
    const p = probabilities(f);
    const columns = tf.sub(tf.reshape(tf.eye(C), [C, 1, C]), tf.expandDims(p, 0));
    return tf.mul(columns, tf.expandDims(tf.sqrt(tf.transpose(p)), 2)) as tf.Tensor3D;
  },
  hessian: simplexHessian(probabilities),
  sampledGradient: (f, key, samples) => {
    const [B, C] = f.shape;
    const p = probabilities(f);
    // Inverse cdf: the class is the number of cumulative sums that a uniform number exceeds. The last sum is left out, so
    // that rounding in it cannot give class C.
    const cumulative = tf.slice(tf.cumsum(p, 1), [0, 0], [B, C - 1]);
    const u = tf.tensor(uniforms(foldIn(key, 0), samples * B), [samples, B, 1]);
    const classes = tf.sum(tf.cast(tf.greaterEqual(u, tf.expandDims(cumulative, 0)), 'int32'), 2);
    return tf.sub(tf.expandDims(p, 0), tf.cast(tf.oneHot(tf.cast(classes, 'int32'), C), 'float32')) as tf.Tensor3D;
  },
  mean: probabilities,
});

/** `kullbackLeiblerDivergence` is the cross-entropy minus the entropy of the labels, which is a constant. */
const LOSSES: LikelihoodOps['losses'] = [
  { loss: 'categoricalCrossentropy', takes: 'outputs', scale: () => 1 },
  { loss: 'sparseCategoricalCrossentropy', takes: 'outputs', scale: () => 1 },
  { loss: 'kullbackLeiblerDivergence', takes: 'outputs', scale: () => 1 },
  { loss: tf.losses.softmaxCrossEntropy, takes: 'logits', scale: () => 1 },
];
