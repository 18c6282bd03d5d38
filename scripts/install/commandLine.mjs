/** Runs in a project that has the optional packages: a model and a table, and the command line on them. */
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { modelFiles } from 'tfjs-laplace/plugins/storage';

const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i) + (i % 2), i % 2 === 0 ? 'even' : 'odd']);
writeFileSync('numbers.csv', `a,b,kind\n${rows.map((row) => row.join(',')).join('\n')}\n`);
writeFileSync('recipe.json', JSON.stringify({ likelihood: 'categorical', report: { resamples: 5 } }));
await tf
  .sequential({ layers: [tf.layers.dense({ units: 2, activation: 'softmax', inputShape: [2] })] })
  .save(modelFiles('model'));

/** @param {ReadonlyArray<string>} args */
const command = (...args) =>
  execFileSync(process.execPath, ['node_modules/tfjs-laplace/dist/cli.js', ...args, '--quiet'], { encoding: 'utf8' });

const data = ['--data', 'numbers.csv', '--target', 'kind'];
const report = JSON.parse(
  command('run', 'recipe.json', '--model', 'model', ...data, '--test', 'numbers.csv', '--out', 'kept', '--json'),
);
assert.strictEqual(report.examples, 60);
assert(existsSync('kept/laplace.safetensors') && existsSync('kept/report.json'));
const lines = command('predict', 'kept', '--model', 'model', ...data, '--json')
  .trimEnd()
  .split('\n');
assert.strictEqual(lines.length, 60);
assert.strictEqual(JSON.parse(command('inspect', 'kept', '--model', 'model', '--json')).fits, true);
