/** Uploads matrices from the host to the device. */
import * as tf from '@tensorflow/tfjs-core';
import type { Matrix } from '../types.js';

/** Uploads directions [P·d, d] as [d, d], or as [P, d, d] for P > 1 groups. */
export const uploadVectors = ({ cols: d, data }: Matrix, groups: number): tf.Tensor =>
  tf.tensor(Float32Array.from(data), groups === 1 ? [d, d] : [groups, d, d]);
