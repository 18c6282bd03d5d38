/**
 * Kernels made of the WASM backend's own fast ones. Everything here works on `TensorInfo`, what kernels take and give: nothing
 * is recorded for gradients, and nothing is counted as a tensor of the caller's.
 */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { getKernel, type KernelFunc, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';

export const BACKEND = 'wasm';

/** Runs a kernel of the backend by its name. */
export type Run = (name: string, inputs: Record<string, TensorInfo>, attrs?: object) => TensorInfo;

/** Runs kernels one after another and frees all that they made but the last result. */
export function compose(backend: BackendWasm, body: (run: Run) => TensorInfo): TensorInfo {
  const made: TensorInfo[] = [];
  let result: TensorInfo | undefined;
  try {
    result = body((name, inputs, attrs = {}) => {
      const out = kernelFunc(name)({ inputs, backend, attrs: attrs as NamedAttrMap }) as TensorInfo;
      made.push(out);
      return out;
    });
    return result;
  } finally {
    for (const info of made) if (info !== result) backend.disposeData(info.dataId);
  }
}

function kernelFunc(name: string): KernelFunc {
  const config = getKernel(name, BACKEND);
  if (config === undefined) throw new Error(`The WASM backend has no kernel '${name}'`);
  return config.kernelFunc;
}

export const reshape = (run: Run, x: TensorInfo, shape: ReadonlyArray<number>): TensorInfo => run('Reshape', { x }, { shape });

export const transpose = (run: Run, x: TensorInfo, perm: ReadonlyArray<number>): TensorInfo => run('Transpose', { x }, { perm });

export const fill = (run: Run, shape: ReadonlyArray<number>, value: number): TensorInfo =>
  run('Fill', {}, { shape, value, dtype: 'float32' });

/** The number of entries. */
export const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((a, b) => a * b, 1);
