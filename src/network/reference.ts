/** Keeps a tensor beyond the end of a `tf.tidy` without a copy of its data. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * A second tensor on the same buffer, kept until it is disposed. It is not a clone, as the WASM backend's clone copies the
 * buffer.
 */
export const reference = <T extends tf.Tensor>(t: T): T => tf.keep(tf.reshape(t, t.shape)) as T;
