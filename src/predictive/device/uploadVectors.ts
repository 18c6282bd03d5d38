/** Matrices of the host on the device. */
import * as tf from '@tensorflow/tfjs-core';
import type { Matrix } from '../../types.js';

/** Directions as they are used: [d, d], or [P, d, d] in P groups. */
export const uploadVectors = ({ cols: d, data }: Matrix, groups: number): tf.Tensor =>
  tf.tensor(Float32Array.from(data), groups === 1 ? [d, d] : [groups, d, d]);
