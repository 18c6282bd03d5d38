/** What only the WebAssembly engine has: a module that came from its source, and memory of its own. */
import { readFileSync } from 'node:fs';
import { wasmEngine } from '../../src/linalg/index.js';
import { BYTES, RECIPE } from '../../src/linalg/wasm/module.js';
import { executor, wasmModule } from '../../src/linalg/wasm/runtime.js';
import { type WasmApi, type WasmExports, webAssembly } from '../../src/linalg/wasm/webassembly.js';
import { distance, gaussianMatrix, orThrow } from './matrices.js';

const eigen = () => import('../../scripts/eigen/compile.mjs');

describe('the module', () => {
  it('was made of the source, flags and versions that are here', async () => {
    const { recipeHash } = await eigen();
    expect(RECIPE).toBe(await recipeHash());
  });

  it('is made anew to the same bytes, where its compiler is there', async () => {
    const { compile, MODULE, moduleText, obstacle, recipeHash } = await eigen();
    const reason = await obstacle();
    if (reason !== undefined) {
      console.info(`not rebuilt: ${reason}`);
      return;
    }
    const bytes = await compile();
    expect(bytes.toString('base64')).toBe(BYTES);
    expect(readFileSync(MODULE, 'utf8')).toBe(moduleText(bytes, await recipeHash()));
  });
});

describe('calls', () => {
  const module = orThrow(wasmModule());
  const call = (n: number) => ({
    name: 'symmetric_eigen_f64',
    sizes: [n],
    region: new Float64Array(n * n + n).fill(1, 0, n * n),
  });

  /** What instances the module gets while `run` runs. */
  function instancesOf(run: (execute: ReturnType<typeof executor>, instances: ReadonlyArray<WasmExports>) => void): void {
    const instances: WasmExports[] = [];
    const api = webAssembly() as WasmApi;
    const { Instance } = api;
    const spy = jest.spyOn(api, 'Instance').mockImplementation(((...args: ConstructorParameters<typeof Instance>) => {
      const instance = new Instance(...args);
      instances.push(instance.exports);
      return instance;
    }) as never);
    try {
      run(executor(module), instances);
    } finally {
      spy.mockRestore();
    }
  }

  it('that stop half-way are errors, and their instance is not used again', () => {
    instancesOf((execute, instances) => {
      execute(call(3));
      expect(instances).toHaveLength(1);
      // 100,000 rows are more than there is: the module stops where it would leave its memory.
      expect(() => execute({ ...call(3), sizes: [100_000] })).toThrow();
      expect(Math.max(...execute(call(3)).region.subarray(9))).toBeCloseTo(3, 12);
      expect(instances).toHaveLength(2);
    });
  });

  it('free their memory: many in a row are held in what one needs, and a very large one is let go', () => {
    instancesOf((execute, instances) => {
      execute(call(300));
      const once = instances[0]?.memory.buffer.byteLength;
      for (let i = 0; i < 40; i++) execute(call(300));
      expect(instances.map(({ memory }) => memory.buffer.byteLength)).toEqual([once]);
      // 8 n² bytes are more than an instance may keep.
      execute({ name: 'cholesky', sizes: [3000], region: new Float64Array(3000 * 3000) });
      execute(call(3));
      expect(instances).toHaveLength(2);
    });
  });
});

it('gives the same numbers each time', () => {
  const a = gaussianMatrix(150, 1);
  expect(orThrow(orThrow(wasmEngine()).symmetricEigen(a))).toEqual(orThrow(orThrow(wasmEngine()).symmetricEigen(a)));
});

it('float32 is another precision, of eigendecompositions alone', () => {
  const a = gaussianMatrix(60, 2);
  const [single, double] = [orThrow(wasmEngine({ float: 'float32' })), orThrow(wasmEngine())];
  const { vectors } = orThrow(single.symmetricEigen(a));
  const difference = distance(vectors, orThrow(double.symmetricEigen(a)).vectors);
  expect(difference).toBeGreaterThan(1e-8);
  expect(single.multiply(a, a)).toEqual(double.multiply(a, a));
});
