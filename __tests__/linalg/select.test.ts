import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import { chosenEngine, defaultEngine, type EngineName, engineNamed, javascriptEngine } from '../../src/linalg/index.js';
import { type WasmApi, webAssembly } from '../../src/linalg/wasm/webassembly.js';
import { AVAILABLE } from './matrices.js';

const own = () => tf.getBackend();

/** Runs on the backend that brings no engine of its own. */
async function onCpu(run: () => unknown): Promise<void> {
  await import('@tensorflow/tfjs-backend-cpu');
  const before = own();
  await tf.setBackend('cpu');
  try {
    await run();
  } finally {
    await tf.setBackend(before);
  }
}

it("is TensorFlow's engine where that is the backend, else WebAssembly's, and says so", async () => {
  const expected = own() === 'tensorflow' ? 'tensorflow' : 'wasm';
  expect(defaultEngine().name).toBe(expected);
  expect(await chosenEngine()()).toMatchObject({ right: { name: expected } });
});

it('follows the backend, whatever else is registered', async () => {
  await onCpu(async () => {
    expect(defaultEngine().name).toBe('wasm');
    expect(await chosenEngine()()).toMatchObject({ right: { name: 'wasm' } });
    expect(engineNamed('javascript')).toEqual(E.right(javascriptEngine));
    expect(engineNamed('tensorflow')).toMatchObject({ _tag: 'Left', left: { _tag: 'LaplaceError', kind: 'Backend' } });
    expect(await chosenEngine('tensorflow')()).toMatchObject({ left: { kind: 'Backend' } });
  });
});

it.each(AVAILABLE)('can be named: %s', async (name) => {
  expect(engineNamed(name)).toMatchObject({ _tag: 'Right', right: { name } });
  expect(await chosenEngine(name)()).toMatchObject({ _tag: 'Right', right: { name } });
});

it('can be given', async () => {
  expect(await chosenEngine(javascriptEngine)()).toEqual(E.right(javascriptEngine));
});

it('refuses a name that no engine has', () => {
  const error = { kind: 'InvalidOption', field: 'name', found: '"lapack"', expected: "'tensorflow', 'wasm' or 'javascript'" };
  expect(() => engineNamed('lapack' as EngineName)).toThrow(expect.objectContaining(error));
});

describe('where WebAssembly does not run', () => {
  const real = webAssembly() as WasmApi;
  // Not enumerable.
  const parts = { validate: real.validate, compile: real.compile, Module: real.Module, Instance: real.Instance };
  const put = (value: unknown) => Object.defineProperty(globalThis, 'WebAssembly', { value, configurable: true, writable: true });

  /** Runs with the engines of a program that starts with this `WebAssembly`, on a backend that brings none of its own. */
  const fresh = (api: Partial<WasmApi> | undefined, run: (linalg: typeof import('../../src/linalg/index.js')) => Promise<void>) =>
    onCpu(async () => {
      put(api);
      try {
        await jest.isolateModulesAsync(async () => {
          jest.doMock('@tensorflow/tfjs-core', () => tf);
          await run(await import('../../src/linalg/index.js'));
        });
      } finally {
        put(real);
      }
    });

  const refuse = () => {
    throw new RangeError('disallowed on the main thread');
  };
  class Refusing {
    constructor() {
      refuse();
    }
  }

  it.each<[string, Partial<WasmApi> | undefined, string]>([
    ['at all', undefined, 'no WebAssembly'],
    ['with SIMD', { ...parts, validate: () => false }, 'WebAssembly without SIMD'],
    ['by policy', { ...parts, Module: Refusing, compile: async () => refuse() }, 'disallowed'],
  ])('%s: plain JavaScript takes its place, and by name it is an error that says why', async (_, api, reason) => {
    await fresh(api, async (linalg) => {
      const error = { kind: 'Backend', found: expect.stringContaining(reason), remedy: expect.stringContaining("'javascript'") };
      expect(linalg.engineNamed('wasm')).toMatchObject({ left: error });
      expect(linalg.wasmEngine()).toMatchObject({ left: error });
      expect(await linalg.prepareWasm()).toMatchObject({ left: error });
      expect(await linalg.chosenEngine('wasm')()).toMatchObject({ left: error });
      expect(linalg.defaultEngine().name).toBe('javascript');
      expect(await linalg.chosenEngine()()).toMatchObject({ right: { name: 'javascript' } });
    });
  });

  it('on this thread alone: it is compiled beside it, then it is there', async () => {
    await fresh({ ...parts, Module: Refusing }, async (linalg) => {
      expect(linalg.engineNamed('wasm')).toMatchObject({
        left: { kind: 'Backend', remedy: expect.stringContaining('prepareWasm') },
      });
      expect(await linalg.chosenEngine('wasm')()).toMatchObject({ right: { name: 'wasm' } });
      expect(linalg.engineNamed('wasm')).toMatchObject({ right: { name: 'wasm' } });
    });
  });
});
