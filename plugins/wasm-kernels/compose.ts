/**
 * Builds kernels out of the fast kernels of the WASM backend. Everything here works on `TensorInfo`, the type that kernels take
 * and return. So nothing is recorded for gradients, and `tf.memory` does not count the intermediate results as tensors.
 */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { getKernel, type KernelFunc, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';

export const BACKEND = 'wasm';

/** Runs the WASM backend's kernel of that name. */
export type Run = (name: string, inputs: Record<string, TensorInfo>, attrs?: object) => TensorInfo;

/**
 * Lets `body` run kernels, then frees all their results but the one that `body` returns. If `body` throws, all are freed.
 *
 * @param body receives the function that runs a kernel, and returns the final result
 */
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
  if (config === undefined) throw new Error(`The WASM backend has no kernel '${name}', which a kernel of tfjs-laplace needs`);
  return config.kernelFunc;
}

export const reshape = (run: Run, x: TensorInfo, shape: ReadonlyArray<number>): TensorInfo => run('Reshape', { x }, { shape });

export const transpose = (run: Run, x: TensorInfo, perm: ReadonlyArray<number>): TensorInfo => run('Transpose', { x }, { perm });

export const fill = (run: Run, shape: ReadonlyArray<number>, value: number): TensorInfo =>
  run('Fill', {}, { shape, value, dtype: 'float32' });

/** Number of entries of a tensor of that shape. */
export const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((a, b) => a * b, 1);
