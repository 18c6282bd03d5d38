/**
 * Sums and means over leading or inner axes (a bias' gradient, batch normalisation, global pooling) as products with a row of
 * ones. The backend's own move the axes to the end first, which takes ten times as long.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { backend_util, type KernelFunc, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { compose, fill, reshape, sizeOf } from './compose.js';

/** Tensors with fewer entries are summed sooner than the calls that this takes. */
const TINY = 4_000;

/** `Sum` or `Mean` over the backend's own: every entry counts `weight(n)` times in a sum of n. */
const weighted =
  (weight: (n: number) => number) =>
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
      const rows = reshape(run, x, [outer, terms, inner]);
      const plain = { transposeA: false, transposeB: false };
      const sums = run('BatchMatMul', { a: fill(run, [1, 1, terms], weight(terms)), b: rows }, plain);
      const left = x.shape.filter((_, i) => !axes.includes(i));
      return reshape(run, sums, keepDims ? backend_util.expandShapeToKeepDim(left, axes) : left);
    });
  };

export const sum = weighted(() => 1);
export const mean = weighted((n) => 1 / n);
