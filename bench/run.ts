/**
 * `npm run bench -- [NAME …]`: runs the named benchmarks, or all if none is named. `NAME:PART` runs one part of a benchmark that has parts.
 * Exits with 1 when a bar is missed.
 */
import { readdirSync } from 'node:fs';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { type BenchResult, report } from './harness.js';

const HELPERS = new Set(['run.ts', 'harness.ts', 'memory.ts', 'operations.ts', 'resnet.ts', 'digits.ts']);
const known = readdirSync(new URL('.', import.meta.url))
  .filter((f) => f.endsWith('.ts') && !HELPERS.has(f))
  .map((f) => f.replace(/\.ts$/, ''))
  .sort();

/** What a file here exports: with parts, `bench` runs the named one, or all if none is named. */
interface Benchmark {
  readonly bench: (part?: string) => Promise<BenchResult>;
  readonly parts?: ReadonlyArray<string>;
}

const refuse = (message: string): never => {
  console.error(message);
  process.exit(2);
};

/** The benchmark that an argument names, and its part. */
async function benchmarkOf(argument: string): Promise<{ readonly run: () => Promise<BenchResult> }> {
  const [name = '', part] = argument.split(':');
  if (!known.includes(name)) refuse(`no benchmark is named '${name}'; the benchmarks are ${known.join(', ')}`);
  const { bench, parts = [] } = (await import(`./${name}.ts`)) as Benchmark;
  if (part !== undefined && !parts.includes(part)) {
    refuse(`'${name}' has no part '${part}'; ${parts.length > 0 ? `its parts are ${parts.join(', ')}` : 'it has no parts'}`);
  }
  return { run: () => bench(part) };
}

const asked = process.argv.slice(2);
const all = await Promise.all((asked.length > 0 ? asked : known).map(async (name) => ({ name, ...(await benchmarkOf(name)) })));
const backend = await useBackend();
console.log(`backend ${backend.name}: ${backend.reason}`);
let ok = true;
for (const { name, run } of all) ok = (await report(name, await run())) && ok;
process.exit(ok ? 0 : 1);
