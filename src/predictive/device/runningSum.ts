/** Sums of tensors that hold nothing but themselves while they are made. */
import * as tf from '@tensorflow/tfjs-core';

/** A sum that parts are added to. */
export interface RunningSum<T extends tf.Tensor> {
  /** What the part is made of is freed. */
  readonly add: (part: () => T) => void;
  /** The sum of what was added, at least one part. */
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
