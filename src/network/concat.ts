import * as tf from '@tensorflow/tfjs-core';

/**
 * `tf.concat` without a copy of a single part: it returns the part itself. (`tf.concat` clones it, and the WASM backend copies what it
 * clones.) So the result may be one of the parts.
 */
export const concat = <T extends tf.Tensor>(parts: ReadonlyArray<T>, axis: number): T =>
  parts.length === 1 ? (parts[0] as T) : tf.concat<T>([...parts], axis);

/** `tf.stack` along a first axis, without a copy of a single part. */
export const stacked = (parts: ReadonlyArray<tf.Tensor>): tf.Tensor =>
  parts.length === 1 ? tf.expandDims(parts[0] as tf.Tensor, 0) : tf.stack([...parts]);
