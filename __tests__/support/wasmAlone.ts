/**
 * For files about the law of a distribution: no backend changes the law, and it takes thousands of small operations, each of which
 * costs TensorFlow's binding two to three times as much as it costs WASM.
 */
import * as tf from '@tensorflow/tfjs-core';
import { load } from './backend.js';

/** The tests of the file run on WASM, whatever the backend of the run is. */
export const onWasmAlone = (): void => {
  beforeAll(async () => {
    await tf.setBackend(load('wasm'));
  });
};
