/** Loads and starts backends. The choice between them is in choose.ts. */
import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';
import type { BackendName, Trial } from './choose.js';
import { restoreRemoved } from './removed.js';

/** The names under which the backends are registered in TensorFlow.js. */
const REGISTERED: Readonly<Record<BackendName, string>> = { node: 'tensorflow', wasm: 'wasm', cpu: 'cpu' };

/** The name is put together at run time, because a bundler for browsers would follow a literal name in an import. */
const NATIVE = ['@tensorflow', 'tfjs-node-gpu'].join('/');

const LOADERS: Readonly<Record<BackendName, () => Promise<unknown>>> = {
  node: async () => {
    if (typeof process === 'undefined' || process.versions?.node === undefined) throw new Error('this is not Node.js');
    return import(/* @vite-ignore */ /* webpackIgnore: true */ NATIVE);
  },
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

/**
 * Loads the package of a backend unless the backend is registered already, makes it the current one, and checks it with one
 * product. WASM also gets the kernels that it lacks for training. For the native package, functions that this version of Node has
 * removed are defined again.
 *
 * @returns the result of the trial; never rejects, because a failure is part of the result
 */
export async function start(name: BackendName): Promise<Trial> {
  try {
    const registered = REGISTERED[name];
    const restored = name === 'node' ? restoreRemoved() : [];
    if (!tf.findBackendFactory(registered)) await LOADERS[name]();
    if (name === 'wasm') registerWasmKernels();
    if (!(await tf.setBackend(registered))) return { name, failure: 'it does not start' };
    await tf.ready();
    const six = (await multiply())[0];
    return six === 6 ? { name, restored } : { name, failure: `its product of 2 and 3 is ${six}` };
  } catch (error) {
    return { name, failure: firstLine(error) };
  }
}

async function multiply(): Promise<ArrayLike<number>> {
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([[2]]), tf.tensor2d([[3]])));
  return product.data().finally(() => product.dispose());
}

const firstLine = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '').replace(/[.\s]+$/, '');
};
