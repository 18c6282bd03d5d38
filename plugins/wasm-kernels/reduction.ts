/**
 * Computes sums and means over leading or inner axes as average pools, for which XNNPACK reads the memory once. The gradient of a
 * bias, batch normalisation and global pooling need such sums. The backend's own kernels move the axes to the end first, which
 * takes ten times as long.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { backend_util, type KernelFunc, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { compose, fill, type Run, reshape, sizeOf } from './compose.js';

/** A tensor with fewer entries is left to the backend: the extra calls would take longer than the sum. */
const TINY = 4_000;

/**
 * Makes the kernel `Sum` or `Mean`. The cases that it does not speed up go to the backend's `own` kernel.
 *
 * @param finish computes the result from the mean and the number of terms
 */
const reduction =
  (finish: (run: Run, mean: TensorInfo, terms: number) => TensorInfo) =>
  (own: KernelFunc): KernelFunc =>
  (args) => {
    const backend = args.backend as BackendWasm;
    const { x } = args.inputs as { x: TensorInfo };
    const { axis, keepDims } = args.attrs as { axis?: number[] | null; keepDims?: boolean };
    const axes = util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape).sort((a, b) => a - b);
    const [first, last] = [axes[0] ?? 0, axes.at(-1) ?? -1];
    const inner = sizeOf(x.shape.slice(last + 1));
    const adjacent = last - first + 1 === axes.length;
    if (x.dtype !== 'float32' || !adjacent || inner === 1 || sizeOf(x.shape) < TINY) return own(args);
    return compose(backend, (run) => {
      const [outer, terms] = [sizeOf(x.shape.slice(0, first)), sizeOf(x.shape.slice(first, last + 1))];
      const rows = reshape(run, x, [outer, terms, 1, inner]);
      const mean = run('AvgPool', { x: rows }, { filterSize: [terms, 1], strides: 1, pad: 'valid' });
      const left = x.shape.filter((_, i) => !axes.includes(i));
      return reshape(run, finish(run, mean, terms), keepDims ? backend_util.expandShapeToKeepDim(left, axes) : left);
    });
  };

export const mean = reduction((_, mean) => mean);
export const sum = reduction((run, mean, terms) => run('Multiply', { a: mean, b: fill(run, [], terms) }));
