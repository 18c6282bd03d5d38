/** For test files whose networks cannot be trained, or only wrong, on the WASM backend as it ships. */
import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';

/** Registers the plugin's kernels before the tests of a file that runs on WASM. */
export const withWasmKernels = (): void => {
  beforeAll(() => {
    if (tf.getBackend() === 'wasm') registerWasmKernels();
  });
};
