/**
 * Kernels for training on the WASM backend of tfjs (4.22). They replace kernels that the backend lacks, that are slow, or that
 * are wrong. Most of them, such as products with transposed operands and gradients of convolutions, are built from the backend's
 * own fast kernels.
 *
 * Threads: the kernels here use threads where the backend's kernels do. In a page that is cross-origin isolated (headers COOP and
 * COEP), tfjs starts half as many threads as there are cores, at most four. `setThreadsCount` of its package, called before the
 * backend starts, asks for fewer. In Node there are no threads: tfjs starts its workers from a blob: address, and Node's workers
 * refuse that.
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

/** Kernels that the backend lacks. If a later version has one of them, the backend's own is used. */
const MISSING: Readonly<Record<string, tf.KernelFunc>> = {
  Conv2DBackpropFilter: inFilter('Conv2D'),
  DepthwiseConv2dNativeBackpropFilter: inFilter('DepthwiseConv2dNative'),
  DepthwiseConv2dNativeBackpropInput: inInput('DepthwiseConv2dNative'),
  UnsortedSegmentSum: unsortedSegmentSum,
};

/**
 * Kernels that replace the backend's own, which are slow or wrong. The backend's gradients of a three-dimensional convolution are
 * wrong when there is a stride or a second channel. Its maximum pools are wrong when a window has no positive number.
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

/**
 * Marks a kernel of ours and holds the kernel that it replaced. `Symbol.for` makes the mark the same in all copies of this
 * package, so that each recognises the kernels of the others.
 */
const REPLACED = Symbol.for('tfjs-laplace/wasm-kernels');

type Config = tf.KernelConfig & { readonly [REPLACED]?: { readonly own: tf.KernelConfig | undefined } };

/** The registered kernels of this package. */
export interface WasmKernels {
  /** The names of the kernels. */
  readonly registered: ReadonlyArray<string>;
  /** Puts the backend's own kernels back. */
  readonly undo: () => void;
}

/**
 * Registers kernels with which networks train on the WASM backend, and train fast: matrix products with transposed operands (15
 * times faster); gradients of convolutions (2D, 3D, depthwise and transposed), of maximum pools and of embeddings; and the sums
 * that batch normalisation takes.
 *
 * Models, tensors and the rest of tfjs stay as they are. The kernels work in every browser, with and without SIMD and threads.
 * You may register them before or after the backend has started. A second call changes nothing.
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
      what: 'The WASM backend is not loaded',
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

/**
 * Registers a kernel of ours. The set-up function of the kernel that it replaces is kept, because the backend may not have
 * started yet and still has to call it.
 */
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
