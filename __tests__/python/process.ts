/** Runs the Python side of these tests, if there is a Python with numpy. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const found = spawnSync('python3', ['-c', 'import sys, numpy; assert sys.version_info >= (3, 9)']).status === 0;
if (!found) process.stderr.write('Tests of python/ are skipped: no python3 (3.9 or newer) with numpy is found.\n');

/** Describes tests that need Python. */
export const withPython = found ? describe : describe.skip;

/** Runs one piece of work on a folder, and gives what it printed. */
export const work = <A>(name: string, folder: string): A =>
  JSON.parse(
    execFileSync('python3', ['-B', join(__dirname, 'work.py'), name, folder], { encoding: 'utf8', maxBuffer: 2 ** 26 }),
  ) as A;

/** A new folder; all of them are removed after the tests of a file. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'laplace-python-'));
  made.push(path);
  return path;
}

const made: string[] = [];
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});
