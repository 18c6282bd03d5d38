/** Parts that likelihoods of independent outputs share: labels with one number for each output, and roots of diagonal Hessians. */
import * as tf from '@tensorflow/tfjs-core';
import type { LikelihoodOps } from './likelihood.js';

/** Labels [B, C], or [B] when C = 1. */
export const numberLabels = (kind: string): Pick<LikelihoodOps, 'labels' | 'labelShapeFits' | 'targets' | 'targetWidth'> => ({
  labels: (C) => `${kind} of shape ${C === 1 ? '[B] or [B, 1]' : `[B, ${C}]`}`,
  labelShapeFits: (shape, size, C) =>
    shape[0] === size && ((shape.length === 2 && shape[1] === C) || (shape.length === 1 && C === 1)),
  targets: (y, C) => tf.reshape(tf.cast(y, 'float32'), [-1, C]),
  targetWidth: (C) => C,
});

/** Scalar: 1 when every entry of a boolean tensor holds. */
export const allOf = (holds: tf.Tensor): tf.Scalar => tf.cast(tf.all(holds), 'float32');

/** Columns of diag(root): [C, B, C] from root [B, C], column c being root_c e_c. */
export const diagonalColumns = (root: tf.Tensor2D): tf.Tensor3D => {
  const C = root.shape[1];
  return tf.mul(tf.reshape(tf.eye(C), [C, 1, C]), tf.expandDims(root, 0));
};
