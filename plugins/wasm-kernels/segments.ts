/** `UnsortedSegmentSum`: the gradient of a gather, and so of an embedding. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from './compose.js';

/** Adds up the rows of x with the same segment number. As in tfjs, it ignores rows whose number is not in [0, numSegments). */
export const unsortedSegmentSum: KernelFunc = (args) => {
  const backend = args.backend as BackendWasm;
  const { x, segmentIds } = args.inputs as { x: TensorInfo; segmentIds: TensorInfo };
  const segments = args.attrs?.numSegments as number;
  const inner = x.shape.slice(segmentIds.shape.length);
  const width = sizeOf(inner);
  const out = backend.makeOutput([segments, ...inner], 'float32');
  // Views are made after the last allocation, because growing memory detaches them.
  const [sums, values, ids] = [out, x, segmentIds].map((info) => backend.typedArrayFromHeap(info)) as [
    Float32Array,
    Float32Array,
    Int32Array,
  ];
  sums.fill(0);
  for (const [row, id] of ids.entries()) {
    if (id < 0 || id >= segments) continue;
    for (let i = 0; i < width; i++) (sums[id * width + i] as number) += values[row * width + i] as number;
  }
  return out;
};
