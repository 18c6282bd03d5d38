/** Tensors that outlive a tidy without a copy of what they hold. */
import * as tf from '@tensorflow/tfjs-core';

/** Another tensor on the same buffer, kept until it is disposed: the WASM backend's clone would copy it. */
export const reference = <T extends tf.Tensor>(t: T): T => tf.keep(tf.reshape(t, t.shape)) as T;
