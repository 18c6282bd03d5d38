/** Parts that likelihoods of independent outputs share: labels with one number for each output, and roots of diagonal Hessians. */
import * as tf from '@tensorflow/tfjs-core';
import type { LikelihoodOps } from './likelihood.js';

/** The operations on labels [B, C], or [B] if C = 1. `kind` says in error messages what the labels are. */
export const numberLabels = (kind: string): Pick<LikelihoodOps, 'labels' | 'labelShapeFits' | 'targets' | 'targetWidth'> => ({
  labels: (C) => `${kind} of shape ${C === 1 ? '[B] or [B, 1]' : `[B, ${C}]`}`,
  labelShapeFits: (shape, size, C) =>
    shape[0] === size && ((shape.length === 2 && shape[1] === C) || (shape.length === 1 && C === 1)),
  targets: (y, C) => tf.reshape(tf.cast(y, 'float32'), [-1, C]),
  targetWidth: (C) => C,
});

/** A scalar: 1 if every entry of a boolean tensor is true, otherwise 0. */
export const allOf = (holds: tf.Tensor): tf.Scalar => tf.cast(tf.all(holds), 'float32');

/** The columns of diag(root), [C, B, C], for root [B, C]. Column c is root_c e_c. */
export const diagonalColumns = (root: tf.Tensor2D): tf.Tensor3D => {
  const C = root.shape[1];
  return tf.mul(tf.reshape(tf.eye(C), [C, 1, C]), tf.expandDims(root, 0));
};
