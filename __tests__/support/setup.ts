/** Before each test file: the backend that LAPLACE_BACKEND names, else TensorFlow's own kernels where they load, else WASM. */
import * as tf from '@tensorflow/tfjs-core';
import { load } from './backend.js';

const backend = load(process.env.LAPLACE_BACKEND);

beforeAll(async () => {
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} does not start`);
  await tf.ready();
});
