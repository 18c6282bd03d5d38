/** What the command line of the recipe says before it trains anything. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HELP } from '../../../recipes/mnist/options.js';

const ROOT = join(__dirname, '..', '..', '..');

const mnist = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', join(ROOT, 'recipes', 'mnist', 'main.ts'), ...args], { cwd: ROOT });

it('explains itself, and refuses what it does not know', async () => {
  expect((await mnist('--help')).stdout).toBe(HELP);
  const failed = await mnist('--fast').catch((error: { code: number; stderr: string; stdout: string }) => error);
  expect(failed).toMatchObject({ code: 2, stdout: '' });
  expect(failed.stderr).toContain("Unknown option '--fast'");
});

it('says what is wrong with a folder that holds no network', async () => {
  const nothing = join(tmpdir(), 'a-folder-that-is-not-there');
  const failed = await mnist('--quick', '--quiet', '--pretrained', nothing).catch((e: { code: number; stderr: string }) => e);
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.stderr).toContain(join(nothing, 'model.json'));
  expect(existsSync(nothing)).toBe(false);
});
