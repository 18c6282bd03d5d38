import * as tf from '@tensorflow/tfjs';
import { isLaplaceError } from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { registerWasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';
import { load } from '../../support/backend.js';

const MISSING = [
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'UnsortedSegmentSum',
];

const kernels = (): Map<string, tf.KernelFunc> =>
  new Map(tf.getKernelsForBackend('wasm').map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc]));

let before: string;
beforeAll(() => {
  before = tf.getBackend();
});
afterEach(() => {
  if (tf.getKernel('BatchMatMul', 'wasm')) registerWasmKernels().undo();
});
afterAll(() => tf.setBackend(before));

it('says what is missing where the WASM backend is not loaded', async () => {
  if (before === 'wasm') return;
  const error: unknown = await Promise.resolve()
    .then(registerWasmKernels)
    .catch((e: unknown) => e);
  expect(isLaplaceError(error) && error.kind).toBe('Backend');
  expect((error as Error).message).toContain("import '@tensorflow/tfjs-backend-wasm'");
});

describe('where it is loaded', () => {
  beforeAll(() => void load('wasm'));

  it('registers without a word, works before the backend has started, and again changes nothing', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const first = registerWasmKernels();
    const then = kernels();
    const second = registerWasmKernels();
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
    expect(first.registered).toEqual(expect.arrayContaining([...MISSING, 'BatchMatMul', '_FusedMatMul', 'Conv2DBackpropInput']));
    expect(second.registered).toEqual(first.registered);
    expect(kernels()).toEqual(then);
    await tf.setBackend('wasm');
    const a = tf.range(0, 1600).reshape([40, 40]);
    expect(tf.matMul(a, tf.eye(40), true, false).dataSync()).toEqual(tf.transpose(a).dataSync());
  });

  it('undoes all of it, once and for all', async () => {
    await tf.setBackend('wasm');
    const own = kernels();
    const { undo } = registerWasmKernels();
    expect(kernels()).not.toEqual(own);
    undo();
    expect(kernels()).toEqual(own);
    undo();
    expect(kernels()).toEqual(own);
    expect([...own.keys()]).not.toContain('Conv2DBackpropFilter');
  });

  it('leaves a kernel alone that the backend has come to have', () => {
    const kernelFunc: tf.KernelFunc = () => [];
    tf.registerKernel({ kernelName: 'UnsortedSegmentSum', backendName: 'wasm', kernelFunc });
    const { registered, undo } = registerWasmKernels();
    expect(registered).not.toContain('UnsortedSegmentSum');
    expect(kernels().get('UnsortedSegmentSum')).toBe(kernelFunc);
    undo();
    expect(kernels().get('UnsortedSegmentSum')).toBe(kernelFunc);
    tf.unregisterKernel('UnsortedSegmentSum', 'wasm');
  });

  it('touches no other backend', () => {
    const others = (): string[] =>
      ['cpu', 'tensorflow'].flatMap((name) => tf.getKernelsForBackend(name).map((k) => k.kernelName));
    const all = others();
    registerWasmKernels();
    expect(others()).toEqual(all);
  });

  it('comes with the WASM backend of useBackend, which says so', async () => {
    const { reason } = await useBackend({ prefer: 'wasm' });
    expect(reason).toContain('tfjs-laplace/plugins/wasm-kernels');
    expect([...kernels().keys()]).toEqual(expect.arrayContaining(MISSING));
  });
});
