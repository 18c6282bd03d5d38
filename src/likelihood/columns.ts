/** Square roots of diagonal Hessians, shared by the likelihoods whose outputs are independent. */
import * as tf from '@tensorflow/tfjs-core';

/** Columns of diag(root): [C, B, C] from root [B, C], column c being root_c e_c. */
export const diagonalColumns = (root: tf.Tensor2D): tf.Tensor3D => {
  const C = root.shape[1];
  return tf.mul(tf.reshape(tf.eye(C), [C, 1, C]), tf.expandDims(root, 0));
};
