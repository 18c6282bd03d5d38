/** Installs laplace-torch in pinned versions into a Python environment under `out/peers`, once. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Folder for the files of this benchmark. */
export const OUT = join('out', 'peers');
const ENVIRONMENT = join(OUT, 'environment');
const BASE = ['torch==2.13.0', 'numpy', 'scipy'];
const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** Runs a process to its end, and parses the last line that it printed as JSON. */
export async function lastLine(command: string, args: ReadonlyArray<string>): Promise<unknown> {
  const { stdout } = await execute(command, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout.trim().split('\n').at(-1) as string);
}

/**
 * Makes the environment, unless it is there already with the same versions.
 *
 * @returns path of its Python
 */
export async function python(): Promise<string> {
  const own = join(ENVIRONMENT, 'bin', 'python');
  const stamp = join(ENVIRONMENT, 'versions.txt');
  const wanted = [...BASE, readFileSync(requirements, 'utf8')].join('\n');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return own;
  console.log(
    'installing laplace-torch into out/peers (once; torch alone is about 1 GB; PIP_INDEX_URL chooses the package index) …',
  );
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  await execute('python3', ['-m', 'venv', ENVIRONMENT]);
  const install = [own, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  for (const args of [BASE, ['--no-deps', '-r', requirements]]) {
    await execute(install[0] as string, [...install.slice(1), ...args], { maxBuffer: 2 ** 26 });
  }
  writeFileSync(stamp, wanted);
  return own;
}
