/**
 * Turns failures of the device that tfjs computes on into typed errors. tfjs itself says little. A kernel that a backend lacks is
 * a plain `Error`. After the browser has taken a WebGL context away, data read from it never arrives, and all that it computes is
 * zero.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../errors.js';

/** The parts of a WebGL context that are used here. The library is typed without the DOM, as it also runs in Node. */
interface Context {
  readonly canvas: {
    addEventListener(type: 'webglcontextlost', listener: () => void): void;
    removeEventListener(type: 'webglcontextlost', listener: () => void): void;
  };
  isContextLost(): boolean;
}

/** Contexts that were seen lost. The browser may restore one, but what tfjs kept on it is gone. */
const lost = new WeakSet<Context>();

/** The WebGL context of the current backend; undefined on other backends. */
function context(): Context | undefined {
  try {
    return (tf.backend() as { getGPGPUContext?(): { readonly gl: Context } }).getGPGPUContext?.().gl;
  } catch {
    // No backend is ready. Another error reports that.
    return undefined;
  }
}

function isLost(gl: Context): boolean {
  if (gl.isContextLost()) lost.add(gl);
  return lost.has(gl);
}

/** Calls `listener` once, when the device is lost, or right now if it is lost already. The returned function stops listening. */
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
 * Waits for data that is being read from the device. Rejects with `Backend` if the device is lost before the data arrives, or if
 * it computes in 16 bits.
 *
 * @param reading the promise of a reading that has begun.
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

/** Throws `Backend` if the device is lost, or if it computes in 16 bits, which are too few for sums over a data set. */
export function checkDevice(): void {
  const gl = context();
  if (gl === undefined) return;
  if (isLost(gl)) throw contextLost();
  if (!tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) throw halfFloats();
}

/**
 * The error to report. It is `Backend` if the device caused the failure, even if the failure has turned into another error on the
 * way (zeros from a lost context look like another model's weights, for example). Otherwise it is the error itself.
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

/** Layers whose gradients are wrong on tfjs's WASM backend (4.22), each with the kernel that is to blame. */
const WRONG_ON_WASM: Readonly<Record<string, string>> = {
  MaxPooling1D: 'MaxPoolGrad',
  MaxPooling2D: 'MaxPoolGrad',
  MaxPooling3D: 'MaxPool3DGrad',
};

/** Marks the kernels that `plugins/wasm-kernels` has registered in place of the backend's own. */
const REPLACED = Symbol.for('tfjs-laplace/wasm-kernels');

/** Throws `Backend` if the current backend would compute a wrong gradient for a layer of this class. */
export function checkGradient(className: string, layer: string): void {
  const kernel = WRONG_ON_WASM[className];
  if (kernel === undefined || tf.getBackend() !== 'wasm') return;
  const registered = tf.getKernel(kernel, 'wasm');
  if (registered !== undefined && REPLACED in registered) return;
  throw laplaceError('Backend', {
    what: `The gradient of layer '${layer}' is wrong on the WASM backend as it ships`,
    layer,
    found: `${className}, whose kernel '${kernel}' loses entries`,
    remedy: "Register correct kernels: registerWasmKernels() of 'tfjs-laplace/plugins/wasm-kernels'.",
  });
}

const contextLost = (cause?: unknown): LaplaceError =>
  laplaceError('Backend', {
    what: 'The WebGL context was lost',
    found: "a GPU that the browser has taken away, and with it every tensor, including the model's weights",
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
    remedy: 'Import a backend, and wait for it before anything else: await tf.ready().',
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
