/**
 * Runs in a project that has no optional package. Every entry loads there, with `import` and with `require`, and every feature whose
 * package is missing says which to install.
 */
import assert from 'node:assert';
import { createRequire } from 'node:module';
import { isLaplaceError } from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { readData } from 'tfjs-laplace/plugins/data-files';
import { curves, writePicture } from 'tfjs-laplace/plugins/plots';
import { terminalProgress } from 'tfjs-laplace/plugins/progress';

const require = createRequire(import.meta.url);
const { exports } = require('tfjs-laplace/package.json');
for (const path of Object.keys(exports).filter((entry) => !entry.endsWith('.json'))) {
  const entry = `tfjs-laplace${path.slice(1)}`;
  assert.deepStrictEqual(Object.keys(await import(entry)).sort(), Object.keys(require(entry)).sort(), entry);
}

/** @param {string} name @param {string} words @param {() => Promise<unknown>} feature */
async function says(name, words, feature) {
  const error = await feature().then(
    () => undefined,
    (reason) => reason,
  );
  assert(isLaplaceError(error), `${name}: expected a LaplaceError, found ${error}`);
  assert.strictEqual(error.kind, 'Backend');
  assert(error.message.toLowerCase().includes(words), `${name}: ${error.message}`);
}

const screen = { isTTY: true, columns: 80, write: () => {} };
const install = 'is not installed. npm install';
await says('PNG', `${install} @resvg/resvg-js`, () => writePicture('pictures', 'picture', '<svg/>'));
await says('chart', `${install} vega vega-lite @resvg/resvg-js`, () =>
  curves({ title: '', xAxis: '', yAxis: '', curves: [{ name: '', points: [{ x: 0, y: 0 }] }] }),
);
await says('bar', `${install} cli-progress`, () => terminalProgress({ output: screen }).step('Step', async () => 1));
await says('CSV', `${install} csv-parse`, () => readData(['package.json'], { format: 'csv' }));
await says('Parquet', `${install} hyparquet`, () => readData(['package.json'], { format: 'parquet' }));
await says('node', 'install @tensorflow/tfjs-node-gpu', () => useBackend({ prefer: 'node' }));
await says('wasm', 'install @tensorflow/tfjs-backend-wasm', () => useBackend({ prefer: 'wasm' }));
