/**
 * Bernoulli likelihood: K independent labels (K = 1 for a binary classifier), p = sigmoid(f),
 * NLL = Σ_k softplus(f_k) − y_k f_k, Λ = diag(p (1 − p)). Labels: [B, K], or [B] when K = 1, in [0, 1].
 */
import * as tf from '@tensorflow/tfjs-core';
import { foldIn } from '../random/key.js';
import { uniforms } from '../random/normals.js';
import { diagonalColumns } from './columns.js';
import type { LikelihoodOps } from './likelihood.js';

export const bernoulliOps: LikelihoodOps = {
  name: 'bernoulli',
  links: ['sigmoid'],
  forbidden: ['softmax', 'logSoftmax', 'hardSigmoid'],
  minOutputs: 1,
  // tfjs averages over the K labels; the likelihood sums over them.
  losses: [
    { loss: 'binaryCrossentropy', takes: 'outputs', scale: (K) => K },
    { loss: tf.losses.sigmoidCrossEntropy, takes: 'logits', scale: (K) => K },
    { loss: tf.losses.logLoss, takes: 'outputs', scale: (K) => K },
  ],
  labels: (K) => `numbers in [0, 1] of shape ${K === 1 ? '[B] or [B, 1]' : `[B, ${K}]`}`,
  labelShapeFits: (shape, size, K) =>
    shape[0] === size && ((shape.length === 2 && shape[1] === K) || (shape.length === 1 && K === 1)),
  targets: (y, K) => tf.reshape(tf.cast(y, 'float32'), [-1, K]),
  labelsInRange: (y) => {
    const values = tf.cast(y, 'float32');
    return tf.cast(tf.all(tf.logicalAnd(tf.greaterEqual(values, 0), tf.lessEqual(values, 1))), 'float32');
  },
  logLikelihood: (f, targets) => tf.sum(tf.sub(tf.mul(targets, f), tf.softplus(f))),
  gradient: (f, targets) => tf.sub(tf.sigmoid(f), targets),
  hessianRoot: (f) => {
    // sigmoid(f) sigmoid(−f) rather than p (1 − p): the difference loses all digits when p is near 1.
    return diagonalColumns(tf.sqrt(tf.mul(tf.sigmoid(f), tf.sigmoid(tf.neg(f)))));
  },
  sampledGradient: (f, key, draws) => {
    const [B, K] = f.shape;
    const p = tf.sigmoid(f);
    const u = tf.tensor(uniforms(foldIn(key, 0), draws * B * K), [draws, B, K]);
    return tf.sub(tf.expandDims(p, 0), tf.cast(tf.less(u, tf.expandDims(p, 0)), 'float32')) as tf.Tensor3D;
  },
  mean: (f) => tf.sigmoid(f),
};
