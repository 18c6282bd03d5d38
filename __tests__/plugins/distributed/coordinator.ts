/** A coordinator in a process of its own, which says so when its first shard of two batches is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accumulateShards, type Plan, processEngine } from 'tfjs-laplace/plugins/distributed';

const plan: Plan = JSON.parse(readFileSync(process.argv[2] as string, 'utf8'));
const engine = processEngine({
  workers: 1,
  backend: 'cpu',
  program: join(import.meta.dirname, 'worker.ts'),
  nodeArguments: ['--import', 'tsx'],
});
accumulateShards(plan, engine).subscribe((event) => {
  if (event._tag === 'progress' && event.done > 2) process.stdout.write('.');
});
