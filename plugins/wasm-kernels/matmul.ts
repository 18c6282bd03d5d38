/**
 * Matrix products at the speed of plain ones. The backend multiplies two plain matrices with XNNPACK and everything else
 * (transposed operands, batches of matrices) with loops that take fifteen times as long. So transposes are made first, or, where
 * fewer entries have to move, (A B)ᵀ = Bᵀ Aᵀ is; and the matrices of a batch are multiplied one by one.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { compose, fill, type Run, reshape, sizeOf, transpose } from './compose.js';

/** Products of fewer multiplications are over sooner than the calls that this takes (measured: 12 µs). */
const TINY = 12_000;

/** A stack of matrices, [batch, rows, columns] as stored, and whether they are meant transposed. */
interface Operand {
  readonly info: TensorInfo;
  readonly batch: number;
  readonly stored: readonly [number, number];
  readonly transposed: boolean;
}

const operand = (info: TensorInfo, transposed: boolean): Operand => {
  const [rows, columns] = info.shape.slice(-2) as [number, number];
  return { info, batch: sizeOf(info.shape.slice(0, -2)), stored: [rows, columns], transposed };
};

const flipped = (x: Operand): Operand => ({ ...x, transposed: !x.transposed });

/** Entries of the matrices that have to be moved before they can be multiplied. */
const moves = (x: Operand): number => (x.transposed ? sizeOf(x.stored) * x.batch : 0);

/** Rows and columns as they are meant. */
const meant = ({ stored: [rows, columns], transposed }: Operand): readonly [number, number] =>
  transposed ? [columns, rows] : [rows, columns];

/** The stack stored as it is meant: [batch, rows, columns]. */
const plain = (run: Run, x: Operand): TensorInfo => {
  const stack = reshape(run, x.info, [x.batch, ...x.stored]);
  return x.transposed ? transpose(run, stack, [0, 2, 1]) : stack;
};

/** `BatchMatMul` over the backend's own. */
export const batchMatMul =
  (own: KernelFunc): KernelFunc =>
  (args) => {
    const { inputs, attrs } = args;
    const backend = args.backend as BackendWasm;
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    const [left, right] = [operand(a, transposeA), operand(b, transposeB)];
    const [m, k] = meant(left);
    const [inner, n] = meant(right);
    const single = left.batch === 1 && right.batch === 1;
    const outer = batchShape(a.shape, b.shape);
    const ours = inner === k && outer !== undefined && a.dtype === 'float32' && b.dtype === 'float32';
    if (!ours || m * k * n <= TINY || (single && !transposeA && !transposeB)) return own(args);
    return compose(backend, (run) => {
      const multiply = (x: TensorInfo, y: TensorInfo): TensorInfo =>
        single ? run('BatchMatMul', { a: x, b: y }, { transposeA: false, transposeB: false }) : oneByOne(backend, run, own, x, y);
      const batch = Math.max(left.batch, right.batch);
      const swap = moves(flipped(left)) + moves(flipped(right)) + batch * m * n < moves(left) + moves(right);
      const product = swap
        ? transpose(run, multiply(plain(run, flipped(right)), plain(run, flipped(left))), [0, 2, 1])
        : multiply(plain(run, left), plain(run, right));
      return reshape(run, product, [...outer, m, n]);
    });
  };

/** The outer sizes of a product, as long as one side has a matrix for each or one for all; undefined for what tfjs must judge. */
function batchShape(a: ReadonlyArray<number>, b: ReadonlyArray<number>): ReadonlyArray<number> | undefined {
  const [left, right] = [a.slice(0, -2), b.slice(0, -2)];
  const rank = Math.max(left.length, right.length);
  const padded = (shape: number[]): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [longLeft, longRight] = [padded(left), padded(right)];
  if (sizeOf(right) === 1) return longLeft;
  if (sizeOf(left) === 1 || longLeft.every((size, i) => size === longRight[i])) return longRight;
  return undefined;
}

/** Multiplies stacks [batch, m, k] and [batch, k, n] matrix by matrix; a stack of one serves every matrix of the other. */
function oneByOne(backend: BackendWasm, run: Run, own: KernelFunc, x: TensorInfo, y: TensorInfo): TensorInfo {
  const [batchX, m] = x.shape as [number, number, number];
  const [batchY, , n] = y.shape as [number, number, number];
  const batch = Math.max(batchX, batchY);
  const out = fill(run, [batch, m, n], 0);
  for (let i = 0; i < batch; i++) {
    const [a, b] = [view(backend, x, batchX === 1 ? 0 : i), view(backend, y, batchY === 1 ? 0 : i)];
    const part = own({
      inputs: { a: a.info, b: b.info },
      backend,
      attrs: { transposeA: false, transposeB: false },
    }) as TensorInfo;
    // The memory may have grown: views of it are made anew.
    backend.typedArrayFromHeap(out).set(backend.typedArrayFromHeap(part), i * m * n);
    backend.disposeData(part.dataId);
    a.release();
    b.release();
  }
  return out;
}

/** The i-th matrix of a stack, where it lies. */
function view(backend: BackendWasm, stack: TensorInfo, i: number): { info: TensorInfo; release: () => void } {
  const [, rows, columns] = stack.shape as [number, number, number];
  const start = backend.getMemoryOffset(stack.dataId) + 4 * i * rows * columns;
  const info = backend.makeOutput([1, rows, columns], 'float32', start);
  const release = (): void => {
    // Not `disposeData`: the memory belongs to the stack.
    backend.wasm.tfjs.disposeData((info.dataId as { id: number }).id);
    backend.dataIdMap.delete(info.dataId);
  };
  return { info, release };
}

/** Activations that `_FusedMatMul` can end with, as kernels. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  prelu: 'Prelu',
  leakyrelu: 'LeakyRelu',
};

/** `_FusedMatMul` over the backend's own: the fast product, then bias and activation. */
export const fusedMatMul =
  (own: KernelFunc): KernelFunc =>
  (args) => {
    const backend = args.backend as BackendWasm;
    const { a, b, bias, preluActivationWeights: alpha } = args.inputs as Record<string, TensorInfo>;
    const { transposeA, transposeB, activation = 'linear', leakyreluAlpha } = args.attrs as Record<string, never>;
    const single = sizeOf((a as TensorInfo).shape.slice(0, -2)) === 1 && sizeOf((b as TensorInfo).shape.slice(0, -2)) === 1;
    const kernel = ACTIVATIONS[activation];
    if ((single && !transposeA && !transposeB) || (kernel === undefined && activation !== 'linear')) return own(args);
    return compose(backend, (run) => {
      const product = run('BatchMatMul', { a: a as TensorInfo, b: b as TensorInfo }, { transposeA, transposeB });
      const shifted = bias == null ? product : run('Add', { a: product, b: bias });
      if (kernel === undefined) return shifted;
      return run(kernel, { x: shifted, ...(alpha == null ? {} : { alpha }) }, { alpha: leakyreluAlpha });
    });
  };
