/** Before each test file: one seed for all properties that name none, and the backend that LAPLACE_BACKEND names, else TensorFlow's own kernels where they load, else WASM. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { load } from './backend.js';

// Every run draws the same examples.
fc.configureGlobal({ seed: 3 });

const backend = load(process.env.LAPLACE_BACKEND);

beforeAll(async () => {
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} does not start`);
  await tf.ready();
});
