/** `npm run bench -- [NAME …]`: runs the named benchmarks, or all if none is named. Exits with 1 when a bar is missed. */
import { readdirSync } from 'node:fs';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { type BenchResult, report } from './harness.js';

const HELPERS = new Set(['run.ts', 'harness.ts', 'memory.ts', 'operations.ts', 'resnet.ts', 'digits.ts']);
const known = readdirSync(new URL('.', import.meta.url))
  .filter((f) => f.endsWith('.ts') && !HELPERS.has(f))
  .map((f) => f.replace(/\.ts$/, ''))
  .sort();

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(`no benchmark is named '${unknown}'; the benchmarks are ${known.join(', ')}`);
  process.exit(2);
}

const backend = await useBackend();
console.log(`backend ${backend.name}: ${backend.reason}`);
let ok = true;
for (const name of asked.length > 0 ? asked : known) {
  const { bench } = (await import(`./${name}.ts`)) as { bench: () => Promise<BenchResult> };
  ok = (await report(name, await bench())) && ok;
}
process.exit(ok ? 0 : 1);
