import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..', '..', '..');

it('sums digits in shards on processes, and compares the sum with that of one pass', async () => {
  const out = mkdtempSync(join(tmpdir(), 'distributed-'));
  const run = async () => {
    const main = join(ROOT, 'recipes', 'distributed', 'main.ts');
    const args = ['--import', 'tsx', main, '--quick', '--quiet', '--out', out];
    return (await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: process.env })).stdout;
  };
  try {
    const stdout = await run();
    expect(stdout).toContain('1,280 examples, each once');
    const [, difference] = /differ from those of one pass by (\S+) at most/.exec(stdout) as RegExpExecArray;
    // Sums of float32 rows in another order.
    expect(Number(difference)).toBeLessThan(1e-6);
  } finally {
    rmSync(out, { recursive: true });
  }
});
