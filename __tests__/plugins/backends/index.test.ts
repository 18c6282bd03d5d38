import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { isLaplaceError } from 'tfjs-laplace';
import { type BackendName, useBackend } from 'tfjs-laplace/plugins/backends';

let before: string;
beforeAll(() => {
  before = tf.getBackend();
  // Plain JavaScript kernels say on stderr that they are slow.
  tf.env().set('IS_TEST', true);
});
afterEach(() => tf.setBackend(before));

it('starts the backend that is named', async () => {
  expect(await useBackend({ prefer: 'cpu' })).toMatchObject({
    name: 'cpu',
    reason: 'plain JavaScript kernels, asked for by name',
  });
  expect(tf.getBackend()).toBe('cpu');
});

it('takes the best that works: here at least the one of this test run', async () => {
  const { name } = await useBackend();
  const rank = (backend: BackendName) => ['node', 'wasm', 'cpu'].indexOf(backend);
  expect(rank(name)).toBeLessThanOrEqual(rank(({ tensorflow: 'node', wasm: 'wasm' }[before] ?? 'cpu') as BackendName));
});

it('rejects an unknown name with an error value', async () => {
  const error: unknown = await useBackend({ prefer: 'webgl' as never }).catch((e: unknown) => e);
  expect(isLaplaceError(error) && error.kind).toBe('InvalidOption');
});

it('names the package of the native kernels in no import that a bundler could follow', () => {
  const folder = join(__dirname, '..', '..', '..', 'plugins', 'backends');
  for (const file of ['index.ts', 'choose.ts', 'start.ts'])
    expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(/(import|from)\s*\(?\s*['"]@tensorflow\/tfjs-node/);
});
