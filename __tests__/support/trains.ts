/** Lets networks of every layer be differentiated on the backend in use: imported by tests that need tfjs's own gradients of them. */
import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';

beforeAll(() => {
  if (tf.getBackend() === 'wasm') registerWasmKernels();
});
