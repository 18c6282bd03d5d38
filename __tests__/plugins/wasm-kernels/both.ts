/** The WASM backend with our kernels beside the plain JavaScript one, whatever backend the other tests run on. */
import * as tf from '@tensorflow/tfjs';
import { registerWasmKernels, type WasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';
import { load } from '../../support/backend.js';
import { numbersOf, relativeError } from '../../support/math/numbers.js';

/** Registers the kernels for the tests of a file, which then run on WASM; all is as before afterwards. */
export function onWasm(): void {
  let before: string;
  let kernels: WasmKernels;
  beforeAll(async () => {
    before = tf.getBackend();
    for (const name of ['cpu', 'wasm']) load(name);
    // With their first tensor, plain JavaScript kernels say on stderr that they are slow.
    tf.env().set('IS_TEST', true);
    await tf.setBackend('cpu');
    tf.scalar(0).dispose();
    tf.env().set('IS_TEST', false);
    kernels = registerWasmKernels();
    await tf.setBackend('wasm');
  });
  afterAll(async () => {
    kernels.undo();
    await tf.setBackend(before);
  });
}

/** Numbers in [-1, 1) without a pattern that matters, ties or zeros. */
export const filled = (shape: ReadonlyArray<number>, seed: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) => {
      const v = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
      return 2 * (v - Math.floor(v)) - 1;
    }),
    [...shape],
  );

/** What is computed on a backend: its shape and numbers. The backend is WASM again afterwards. */
export async function on(backend: 'cpu' | 'wasm', run: () => tf.Tensor): Promise<{ shape: number[]; numbers: number[] }> {
  await tf.setBackend(backend);
  try {
    return tf.tidy(() => {
      const out = run();
      return { shape: [...out.shape], numbers: numbersOf(out) };
    });
  } finally {
    await tf.setBackend('wasm');
  }
}

/** Expects what both backends compute to be the same but for rounding. */
export async function expectSame(run: () => tf.Tensor, tolerance: number): Promise<void> {
  const [expected, found] = [await on('cpu', run), await on('wasm', run)];
  expect(found.shape).toEqual(expected.shape);
  expect(relativeError(found.numbers, expected.numbers)).toBeLessThan(tolerance);
}

/** Runs one kernel by its name. */
export const kernel = (name: string, inputs: Record<string, tf.Tensor>, attrs: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attrs as never);

/** Everything that lives on the WASM backend, the tensors of kernels that nobody counts included. */
export const dataIds = (): number => tf.backend().numDataIds();
