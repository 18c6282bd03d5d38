/**
 * Files of any size. `SIDE=8192` makes files of 4.5 GiB, which no `Uint8Array` of Node 20 holds: it takes 14 GiB of disk, 8 GiB of memory and
 * some minutes.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIDE = Number(process.env.SIDE ?? 40);

it(`a file with matrices of ${SIDE} rows is written, read and added to another one, a layer at a time`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'large-'));
  try {
    const args = ['--import', 'tsx', join(__dirname, 'large.ts'), folder, String(SIDE)];
    const found = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    if (process.env.SIDE !== undefined) process.stderr.write(`${JSON.stringify(found)}\n`);
    expect(found).toMatchObject({
      wrong: [],
      size: found.bytes,
      sum: { count: 2, parts: ['a', 'b'].map((dataset) => ({ dataset, first: 0, end: 1 })) },
    });
    // Nine matrices of float64.
    expect(found.bytes).toBeGreaterThan(9 * 8 * SIDE ** 2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 3_600_000);
