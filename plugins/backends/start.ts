/** Loading and starting backends: the effects behind the choice. */
import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';
import type { BackendName, Trial } from './choose.js';

/** The names that TensorFlow.js knows them by. */
const REGISTERED: Readonly<Record<BackendName, string>> = { node: 'tensorflow', wasm: 'wasm', cpu: 'cpu' };

/** Bundlers for browsers follow names that are written in an import: this one must not be followed, so it is not. */
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
 * Makes a backend the one in use, loading its package unless it is registered already, and multiplies once. WASM gets the kernels
 * that it lacks for training.
 */
export async function start(name: BackendName): Promise<Trial> {
  try {
    const registered = REGISTERED[name];
    if (!tf.findBackendFactory(registered)) await LOADERS[name]();
    if (name === 'wasm') registerWasmKernels();
    if (!(await tf.setBackend(registered))) return { name, failure: 'it does not start' };
    await tf.ready();
    const six = (await multiply())[0];
    return six === 6 ? { name } : { name, failure: `it multiplies 2 by 3 to ${six}` };
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
