/** Sums of tensors that keep only the sum itself on the device between two parts. */
import * as tf from '@tensorflow/tfjs-core';

/** A sum that parts are added to. */
export interface RunningSum<T extends tf.Tensor> {
  /** Computes a part and adds it. Tensors that `part` allocates on the way are freed. */
  readonly add: (part: () => T) => void;
  /** The sum. At least one part must have been added. */
  readonly value: () => T;
}

/** An empty sum. Its value lives as long as the `tf.tidy` in which parts are added. */
export function runningSum<T extends tf.Tensor>(): RunningSum<T> {
  let sum: T | undefined;
  return {
    add: (part) => {
      const previous = sum;
      sum = tf.tidy(() => (previous === undefined ? part() : (tf.add(previous, part()) as T)));
      previous?.dispose();
    },
    value: () => sum as T,
  };
}
