/**
 * What tfjs's WASM backend lacks for training, and does slowly or wrong (4.22): products with transposed operands and gradients of
 * convolutions, put together from the fast kernels that it has.
 *
 * Threads are tfjs's own business: its kernels use them, and so do those made of them. In a page that is cross-origin isolated (the
 * headers COOP and COEP) it starts half as many as there are cores, at most four; `setThreadsCount` of its package, called before the
 * backend starts, asks for fewer. Under Node it has none, and none can be forced on it: its workers start from a blob: address,
 * which Node's refuse.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from 'tfjs-laplace/extend';
import { BACKEND } from './compose.js';
import { inFilter, inInput } from './gradients.js';
import { batchMatMul, fusedMatMul } from './matmul.js';
import { maxPool3D, maxPoolGrad } from './pooling.js';
import { mean, sum } from './reduction.js';
import { unsortedSegmentSum } from './segments.js';
import { tile } from './tile.js';

/** Kernels that the backend lacks: once it ships one of them, its own is used. */
const MISSING: Readonly<Record<string, tf.KernelFunc>> = {
  Conv2DBackpropFilter: inFilter('Conv2D'),
  DepthwiseConv2dNativeBackpropFilter: inFilter('DepthwiseConv2dNative'),
  DepthwiseConv2dNativeBackpropInput: inInput('DepthwiseConv2dNative'),
  UnsortedSegmentSum: unsortedSegmentSum,
};

/**
 * Kernels that take the place of the backend's own: of slow ones, and of wrong ones. The gradients of a three-dimensional convolution
 * are wrong there as soon as there is a stride or a second channel, maximum pools where a window has no positive number.
 */
const BETTER: Readonly<Record<string, (own: tf.KernelFunc) => tf.KernelFunc>> = {
  BatchMatMul: batchMatMul,
  _FusedMatMul: fusedMatMul,
  Conv2DBackpropInput: () => inInput('Conv2D'),
  Conv3DBackpropFilterV2: () => inFilter('Conv3D'),
  Conv3DBackpropInputV2: () => inInput('Conv3D'),
  MaxPool3D: () => maxPool3D,
  MaxPoolGrad: () => maxPoolGrad('first'),
  MaxPool3DGrad: () => maxPoolGrad('last'),
  Mean: mean,
  Sum: sum,
  Tile: tile,
};

/** Marks a kernel of ours, and keeps what it took the place of. All builds of this package know each other's by it. */
const REPLACED = Symbol.for('tfjs-laplace/wasm-kernels');

type Config = tf.KernelConfig & { readonly [REPLACED]?: { readonly own: tf.KernelConfig | undefined } };

/** Kernels that were registered. */
export interface WasmKernels {
  /** Their names. */
  readonly registered: ReadonlyArray<string>;
  /** Puts the backend's own kernels back. */
  readonly undo: () => void;
}

/**
 * Registers kernels that make networks train on the WASM backend, and train fast: matrix products with transposed operands
 * (15 times faster), the gradients of convolutions in the plane and in space, depthwise and transposed, of maximum pools and of
 * embeddings, and the sums that batch normalisation takes. Models, tensors and the rest of tfjs stay as they are. Needs no
 * particular browser: it works with and without SIMD and threads. Works before and after the backend has started; doing it twice changes nothing.
 *
 * @throws LaplaceError `Backend` when the package of the WASM backend is not loaded.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import '@tensorflow/tfjs-backend-wasm';
 * import { registerWasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';
 *
 * const kernels = registerWasmKernels();
 * kernels.registered.includes('Conv2DBackpropFilter'); // => true
 * kernels.undo();
 * ```
 */
export function registerWasmKernels(): WasmKernels {
  if (tf.findBackendFactory(BACKEND) === null || tf.getKernel('BatchMatMul', BACKEND) === undefined) {
    throw laplaceError('Backend', {
      what: 'There is no WASM backend to register kernels for',
      remedy: "Load it first: import '@tensorflow/tfjs-backend-wasm'.",
    });
  }
  for (const [kernelName, kernelFunc] of Object.entries(MISSING)) {
    if (tf.getKernel(kernelName, BACKEND) === undefined) put(kernelName, kernelFunc, undefined);
  }
  for (const [kernelName, better] of Object.entries(BETTER)) {
    const own = tf.getKernel(kernelName, BACKEND) as Config | undefined;
    if (own !== undefined && own[REPLACED] === undefined) put(kernelName, better(own.kernelFunc), own);
  }
  const registered = ours().map(({ kernelName }) => kernelName);
  return { registered, undo: () => ours().forEach(takeAway) };
}

const ours = (): ReadonlyArray<Config> =>
  (tf.getKernelsForBackend(BACKEND) as Config[]).filter((config) => config[REPLACED] !== undefined);

/** Registers a kernel of ours. The set-up of what it replaces stays: the backend may not have started yet. */
function put(kernelName: string, kernelFunc: tf.KernelFunc, own: tf.KernelConfig | undefined): void {
  if (own !== undefined) tf.unregisterKernel(kernelName, BACKEND);
  const config: Config = { ...own, kernelName, backendName: BACKEND, kernelFunc, [REPLACED]: { own } };
  tf.registerKernel(config);
}

function takeAway(config: Config): void {
  tf.unregisterKernel(config.kernelName, BACKEND);
  const own = config[REPLACED]?.own;
  if (own !== undefined) tf.registerKernel(own);
}
