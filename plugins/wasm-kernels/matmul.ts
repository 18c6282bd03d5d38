/**
 * Products of transposed matrices and of batches, at the speed of a product of two plain matrices.
 *
 * The backend uses XNNPACK only for two plain matrices. For transposed operands and for batches it uses loops, which take fifteen
 * times as long. So the kernels here transpose the operands first. Where that moves fewer entries, they compute the transposed
 * product (A B)ᵀ = Bᵀ Aᵀ instead and transpose the result. They multiply the matrices of a batch one by one.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { compose, fill, type Run, reshape, sizeOf, transpose } from './compose.js';

/** A product of at most this many multiplications is left to the backend: the extra calls would take longer (measured: 12 µs). */
const TINY = 12_000;

/**
 * One side of a product: a stack of matrices [batch, rows, columns] as stored, and whether the product takes their transposes.
 */
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

/** How many entries a transposition has to move before XNNPACK can take the stack; 0 if it is not transposed. */
const moves = (x: Operand): number => (x.transposed ? sizeOf(x.stored) * x.batch : 0);

/** Rows and columns of a matrix as it enters the product, after any transposition. */
const meant = ({ stored: [rows, columns], transposed }: Operand): readonly [number, number] =>
  transposed ? [columns, rows] : [rows, columns];

/** The stack with any transposition carried out: [batch, rows, columns] as they enter the product. */
const plain = (run: Run, x: Operand): TensorInfo => {
  const stack = reshape(run, x.info, [x.batch, ...x.stored]);
  return x.transposed ? transpose(run, stack, [0, 2, 1]) : stack;
};

/** `BatchMatMul`; the cases that it does not speed up go to the backend's `own` kernel. */
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

/**
 * The shape of the batch of a product. Handled here: both sides have the same batch shape, or one side has a single matrix.
 *
 * @param a shape of the left side [...batch, rows, columns]
 * @param b shape of the right side [...batch, rows, columns]
 * @returns the batch shape of the result; undefined for all other shapes, which the backend's own kernel handles or refuses
 */
function batchShape(a: ReadonlyArray<number>, b: ReadonlyArray<number>): ReadonlyArray<number> | undefined {
  const [left, right] = [a.slice(0, -2), b.slice(0, -2)];
  const rank = Math.max(left.length, right.length);
  const padded = (shape: number[]): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [longLeft, longRight] = [padded(left), padded(right)];
  if (sizeOf(right) === 1) return longLeft;
  if (sizeOf(left) === 1 || longLeft.every((size, i) => size === longRight[i])) return longRight;
  return undefined;
}

/**
 * Multiplies two stacks matrix by matrix. A stack of one matrix is used for every matrix of the other stack.
 *
 * @param x [batch or 1, m, k]
 * @param y [batch or 1, k, n]
 * @returns [batch, m, n]
 */
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
    // The product may have grown the memory, which detaches older views. So the views are made here.
    backend.typedArrayFromHeap(out).set(backend.typedArrayFromHeap(part), i * m * n);
    backend.disposeData(part.dataId);
    a.release();
    b.release();
  }
  return out;
}

/** The i-th matrix of a stack as a tensor on the stack's own memory, without a copy. */
function view(backend: BackendWasm, stack: TensorInfo, i: number): { info: TensorInfo; release: () => void } {
  const [, rows, columns] = stack.shape as [number, number, number];
  const start = backend.getMemoryOffset(stack.dataId) + 4 * i * rows * columns;
  const info = backend.makeOutput([1, rows, columns], 'float32', start);
  const release = (): void => {
    // The backend's `disposeData` would free the memory, which belongs to the stack.
    backend.wasm.tfjs.disposeData((info.dataId as { id: number }).id);
    backend.dataIdMap.delete(info.dataId);
  };
  return { info, release };
}

/** The kernel for each activation that `_FusedMatMul` can apply. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  prelu: 'Prelu',
  leakyrelu: 'LeakyRelu',
};

/**
 * `_FusedMatMul`: the fast product, then bias and activation. Plain matrices and unknown activations go to the backend's `own`
 * kernel.
 */
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
