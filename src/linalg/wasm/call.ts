/**
 * The arithmetic of the WebAssembly module as calls: plain values that say which function to run on which numbers. The holder of
 * an instance of the module, here or in a worker, carries them out (`execute`).
 */
import { option as O } from 'fp-ts';
import { defaulted, literals, struct } from '../../codec/index.js';
import type { Matrix } from '../../types.js';
import { largestEntry } from '../checks.js';
import type { AsyncKernels } from '../create.js';
import { matrix } from '../matrix.js';
import type { Kernels } from '../operations.js';

/** Numbers in the module's memory: the operands one after another, row by row. The results take their place (see eigen.cpp). */
export type Region = Float64Array | Float32Array;

/** One call of a function of the module, `name(address of region, ...sizes)`. */
export interface WasmCall {
  readonly name: string;
  readonly sizes: ReadonlyArray<number>;
  /** The numbers belong to this call alone, so they may be overwritten or transferred. */
  readonly region: Region;
}

/** The result of a call. */
export interface WasmReply {
  /** 0, or 1 if the matrix has no such decomposition. */
  readonly status: number;
  readonly region: Region;
}

/** Options of the WebAssembly engine. */
export interface WasmOptions {
  /**
   * The width of floats in symmetric eigendecompositions. Everything else is in float64. `float32` takes about half the time. Its
   * errors of n · 1e-7 ‖A‖ are of the order of the errors of factors that were summed in float32. Default `float64`.
   */
  readonly float?: 'float64' | 'float32';
}

/** Decodes options of the WebAssembly engine. */
export const WasmOptionsCodec = struct('options', { float: defaulted(literals('float64', 'float32'), 'float64') });

/** A call, and how to read its reply. */
interface Planned<A> {
  readonly call: WasmCall;
  readonly read: (reply: WasmReply) => A;
}

type Plans = { readonly [K in keyof Kernels]: (...args: Parameters<Kernels[K]>) => Planned<ReturnType<Kernels[K]>> };

/** Kernels that carry out their calls on this thread. */
export function kernelsOf(execute: (call: WasmCall) => WasmReply, options: WasmOptions): Kernels {
  const plans = plansOf(options);
  const run = <A>({ call, read }: Planned<A>): A => read(execute(call));
  return {
    symmetricEigen: (...args) => run(plans.symmetricEigen(...args)),
    cholesky: (...args) => run(plans.cholesky(...args)),
    triangularSolve: (...args) => run(plans.triangularSolve(...args)),
    multiply: (...args) => run(plans.multiply(...args)),
  };
}

/** Kernels whose calls are carried out elsewhere. */
export function asyncKernelsOf(execute: (call: WasmCall) => Promise<WasmReply>, options: WasmOptions): AsyncKernels {
  const plans = plansOf(options);
  const run = async <A>({ call, read }: Planned<A>): Promise<A> => read(await execute(call));
  return {
    symmetricEigen: (...args) => run(plans.symmetricEigen(...args)),
    cholesky: (...args) => run(plans.cholesky(...args)),
    triangularSolve: (...args) => run(plans.triangularSolve(...args)),
    multiply: (...args) => run(plans.multiply(...args)),
  };
}

const plansOf = ({ float = 'float64' }: WasmOptions): Plans => ({
  symmetricEigen: (a) => {
    const n = a.rows;
    const unit = unitOf(a);
    const region = float === 'float32' ? new Float32Array(n * n + n) : new Float64Array(n * n + n);
    for (let i = 0; i < n * n; i++) region[i] = (a.data[i] as number) * unit;
    return {
      call: { name: float === 'float32' ? 'symmetric_eigen_f32' : 'symmetric_eigen_f64', sizes: [n], region },
      read: (reply) => {
        if (reply.status !== 0) throw new Error('the eigenvalues do not converge');
        const values = Float64Array.from(reply.region.subarray(n * n), (v) => v / unit);
        return { values, vectors: matrix(n, n, Float64Array.from(reply.region.subarray(0, n * n))) };
      },
    };
  },
  cholesky: (a) => ({
    call: { name: 'cholesky', sizes: [a.rows], region: regionOf(a.data.length, a) },
    read: ({ status, region }) => (status === 0 ? O.some(part(region, 0, a.rows, a.rows)) : O.none),
  }),
  triangularSolve: (l, b, transposed) => ({
    call: {
      name: 'triangular_solve',
      sizes: [b.rows, b.cols, transposed ? 1 : 0],
      region: regionOf(l.data.length + b.data.length, l, b),
    },
    read: ({ region }) => part(region, l.data.length, b.rows, b.cols),
  }),
  multiply: (a, b) => {
    const operands = a.data.length + b.data.length;
    return {
      call: { name: 'multiply', sizes: [a.rows, a.cols, b.cols], region: regionOf(operands + a.rows * b.cols, a, b) },
      read: ({ region }) => part(region, operands, a.rows, b.cols),
    };
  },
});

/** The range of exponents of a float64 power of two. */
const [LEAST, MOST] = [-1022, 1022];

/** A power of two that takes the largest entry near 1. Scaling by it is exact, and nothing leaves the range of float32. */
function unitOf(a: Matrix): number {
  const exponent = Math.round(Math.log2(largestEntry(a) || 1));
  return 2 ** -Math.min(MOST, Math.max(LEAST, exponent));
}

/** A region of `length` numbers: the operands one after another, then room. */
function regionOf(length: number, ...operands: ReadonlyArray<Matrix>): Float64Array {
  const region = new Float64Array(length);
  operands.reduce((offset, { data }) => {
    region.set(data, offset);
    return offset + data.length;
  }, 0);
  return region;
}

const part = (region: Region, offset: number, rows: number, cols: number): Matrix =>
  matrix(rows, cols, Float64Array.from(region.subarray(offset, offset + rows * cols)));
