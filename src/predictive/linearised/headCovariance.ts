/** The part of the covariance of all outputs that one head's report needs. */
import * as tf from '@tensorflow/tfjs-core';
import type { Head } from '../../network/network.js';

/**
 * Up to this many classes, added over all steps of a sequence, links use the full covariance of the outputs. Beyond it they use
 * only the variances.
 */
const FULL_COVARIANCE_CLASSES = 64;

/** Whether a head's report needs covariances. Independent outputs need only variances. */
export const isJoint = ({ row, outputs }: Head): boolean =>
  row.ops.hessian?.independent !== true && outputs <= FULL_COVARIANCE_CLASSES;

/**
 * The part of the covariance of f that a head needs.
 *
 * @param covariance of all outputs [B, C, C], or their variances [B, C]
 * @returns for S steps of c outputs (S = 1 for a head without steps) the block of each step, [B, S·c·c]. If the head needs only
 *   variances, or only these are given, the variances of its outputs [B, outputs].
 */
export function ownCovariance(head: Head, covariance: tf.Tensor): tf.Tensor {
  const { first, outputs } = head;
  if (covariance.rank === 2) return tf.slice(covariance, [0, first], [-1, outputs]);
  const block = tf.slice(covariance, [0, first, first], [-1, outputs, outputs]);
  const B = block.shape[0] as number;
  // Each step is reported by itself, so covariances between steps are left out. For independent outputs c is 1.
  const c = isJoint(head) ? head.row.outputs : 1;
  const S = outputs / c;
  const own = S === 1 ? block : tf.sum(tf.mul(tf.reshape(block, [B, S, c, S, c]), tf.reshape(tf.eye(S), [S, 1, S, 1])), 3);
  return tf.reshape(own, [B, -1]);
}
