/**
 * `npm run nodes [-- 24 26]`, or `-- newest`: tries the project on each version of Node that it supports, and prints a table. Each
 * version gets a fresh copy of the working tree, and takes about a minute and a half. A version that the registry does not have is
 * told as not available. That is an error only for a version that was named.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODES, nodeOf } from './nodes/binary.mjs';
import { tryNode } from './nodes/trial.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const named = process.argv.slice(2);
const asked = named.map((version) => (version === 'newest' ? Math.max(...NODES) : Number(version)));
const npm = process.env.npm_execpath;
if (!npm?.endsWith('npm-cli.js') || asked.some((major) => !Number.isInteger(major))) {
  console.error('Usage: npm run nodes [-- newest | MAJOR …]');
  process.exit(2);
}

const own = Number(process.versions.node.split('.')[0]);
const rows = [];
for (const major of asked.length === 0 ? NODES : asked) {
  // The Node that runs this script is taken for its own version.
  const { path, why } = major === own ? { path: process.execPath } : await nodeOf(join(root, '.cache', 'nodes'), major);
  if (path === undefined) {
    console.error(`Node ${major} is not available: ${why}`);
    rows.push([String(major), 'not available', '', '', '']);
    if (asked.length > 0) process.exitCode = 1;
    continue;
  }
  const { ok, backend, tests, warnings, steps, output } = await tryNode(root, path, npm);
  const times = steps.map((step) => `${step.what} ${step.ok ? '' : 'FAILED '}${step.seconds.toFixed(0)} s`).join(', ');
  rows.push([String(major), times, backend, tests, warnings.length === 0 ? 'none' : String(warnings.length)]);
  for (const warning of warnings) console.error(`Node ${major}: ${warning}`);
  if (ok) continue;
  console.error(`Node ${major}:\n${output}`);
  process.exitCode = 1;
}

const table = [['Node', 'steps', 'backend of the recipe', 'tests', 'warnings'], ...rows];
const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
for (const row of table)
  console.log(
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
