import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inGap, points, seen } from '../../../recipes/regression/data.js';

const ROOT = join(__dirname, '..', '..', '..');

it('is better than the network alone where there were no data, and no worse where there were', async () => {
  const out = mkdtempSync(join(tmpdir(), 'regression-'));
  try {
    const main = join(ROOT, 'recipes', 'regression', 'main.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main, '--out', out], { cwd: ROOT });
    /** NLL of the network and of its posterior. */
    const nll = (row: string) => {
      const [, , network, laplace] = new RegExp(`^${row}.*\\) +(\\S+) +(\\S+) +(\\S+) `, 'm').exec(stdout) ?? [];
      return { network: Number(network), laplace: Number(laplace) };
    };
    const [beside, gap] = [nll('beside'), nll('in the gap')];
    expect(gap.laplace).toBeLessThan(gap.network - 1);
    expect(beside.laplace).toBeLessThan(beside.network + 0.1);
    expect(readdirSync(out).sort()).toEqual(['band', 'evidence', 'functions'].flatMap((name) => [`${name}.png`, `${name}.svg`]));
  } finally {
    rmSync(out, { recursive: true });
  }
});

it('has data beside the gap and none in it', () => {
  const { x, y } = points(50, 1, seen);
  expect([x.length, y.length]).toEqual([50, 50]);
  expect(x.some(inGap)).toBe(false);
  expect(x.some((v) => v < 0) && x.some((v) => v > 0)).toBe(true);
  expect(points(50, 1, seen)).toEqual({ x, y });
});
