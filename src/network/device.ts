/**
 * What the device that tfjs computes on can fail to do, told as errors. tfjs is of little help: a kernel that a backend lacks is a
 * plain `Error`, what is read from a WebGL context that the browser took away never arrives, and what is computed there is zero.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../errors.js';

/** The parts of a WebGL context that are used here: types of the DOM are not at home in a library that also runs in Node. */
interface Context {
  readonly canvas: {
    addEventListener(type: 'webglcontextlost', listener: () => void): void;
    removeEventListener(type: 'webglcontextlost', listener: () => void): void;
  };
  isContextLost(): boolean;
}

/** Contexts that were seen lost. The browser may restore one, but what tfjs kept on it is gone. */
const lost = new WeakSet<Context>();

/** The context of the current backend, where that is WebGL's. */
function context(): Context | undefined {
  try {
    return (tf.backend() as { getGPGPUContext?(): { readonly gl: Context } }).getGPGPUContext?.().gl;
  } catch {
    // No backend is ready, which is another error's matter.
    return undefined;
  }
}

function isLost(gl: Context): boolean {
  if (gl.isContextLost()) lost.add(gl);
  return lost.has(gl);
}

/** Calls `listener` once when the device is lost, or at once when it is; the returned function forgets about it. */
export function onDeviceLost(listener: (error: LaplaceError) => void): () => void {
  const gl = context();
  if (gl === undefined) return () => {};
  if (isLost(gl)) {
    listener(contextLost());
    return () => {};
  }
  const heard = (): void => {
    lost.add(gl);
    forget();
    listener(contextLost());
  };
  const forget = (): void => gl.canvas.removeEventListener('webglcontextlost', heard);
  gl.canvas.addEventListener('webglcontextlost', heard);
  return forget;
}

/**
 * Waits for what is read from the device. Rejects with `Backend` when the device is lost before it is there, or computes in 16 bits.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { fromDevice } from 'tfjs-laplace/extend';
 *
 * const sum = tf.sum([1, 2, 3]);
 * const [value] = await fromDevice(sum.data());
 * value; // => 6
 * ```
 */
export async function fromDevice<A>(reading: Promise<A>): Promise<A> {
  let forget = (): void => {};
  const loss = new Promise<never>((_, reject) => {
    forget = onDeviceLost(reject);
  });
  try {
    const value = await Promise.race([reading, loss]);
    checkDevice();
    return value;
  } finally {
    forget();
  }
}

/** Throws `Backend` when the device is lost, or computes in 16 bits: too few for sums over a data set. */
export function checkDevice(): void {
  const gl = context();
  if (gl === undefined) return;
  if (isLost(gl)) throw contextLost();
  if (!tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) throw halfFloats();
}

/**
 * The error to tell: `Backend` where the device is why something failed, whatever was made of it on the way (zeros that came from a
 * lost context look like another model's weights, say), else the error itself.
 */
export function deviceError(error: unknown): unknown {
  const gl = context();
  if (gl !== undefined && isLost(gl)) return contextLost(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const [, kernel, backend] = /Kernel '(\w+)' not registered for backend '(\w+)'/.exec(cause.message) ?? [];
    if (kernel !== undefined) return kernelMissing(kernel, backend as string, error);
    if (/has not yet been initialized|No backend found/.test(cause.message)) return notReady(error);
  }
  return error;
}

/** Layers whose gradients tfjs's WASM backend (4.22) computes wrong, each with the kernel that is to blame. */
const WRONG_ON_WASM: Readonly<Record<string, string>> = {
  MaxPooling1D: 'MaxPoolGrad',
  MaxPooling2D: 'MaxPoolGrad',
  MaxPooling3D: 'MaxPool3DGrad',
};

/** The mark of kernels that `plugins/wasm-kernels` put in the place of the backend's own. */
const REPLACED = Symbol.for('tfjs-laplace/wasm-kernels');

/** Throws `Backend` where the gradient of a layer of this class would be a wrong one. */
export function checkGradient(className: string, layer: string): void {
  const kernel = WRONG_ON_WASM[className];
  if (kernel === undefined || tf.getBackend() !== 'wasm') return;
  const registered = tf.getKernel(kernel, 'wasm');
  if (registered !== undefined && REPLACED in registered) return;
  throw laplaceError('Backend', {
    what: `The gradient of layer '${layer}' is wrong on the WASM backend as it ships`,
    layer,
    found: `${className}, whose kernel '${kernel}' loses entries`,
    remedy: "Register better kernels: registerWasmKernels() of 'tfjs-laplace/plugins/wasm-kernels'.",
  });
}

const contextLost = (cause?: unknown): LaplaceError =>
  laplaceError('Backend', {
    what: 'The WebGL context was lost',
    found: "a GPU that the browser has taken away, and with it every tensor, the model's weights among them",
    remedy: "Load the page anew, or call tf.setBackend('wasm') and load the model and the data again.",
    cause,
  });

const halfFloats = (): LaplaceError =>
  laplaceError('Backend', {
    what: 'The WebGL backend computes in 16 bits here',
    found: 'a GPU that cannot render to textures of 32-bit floats',
    expected: '32-bit floats',
    remedy: "Use another backend: tf.setBackend('wasm').",
  });

const notReady = (cause: unknown): LaplaceError =>
  laplaceError('Backend', {
    what: 'No backend of TensorFlow.js is ready',
    remedy: 'Import one, and wait for it before anything else: await tf.ready().',
    cause,
  });

const kernelMissing = (kernel: string, backend: string, cause: unknown): LaplaceError =>
  laplaceError('Backend', {
    what: `The backend '${backend}' has no kernel '${kernel}'`,
    found: 'a layer of the model that needs it',
    remedy:
      backend === 'wasm'
        ? "Register more kernels ('tfjs-laplace/plugins/wasm-kernels'), or use another backend."
        : 'Use another backend, or another layer.',
    cause,
  });
