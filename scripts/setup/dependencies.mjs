/** node_modules as package-lock.json wants it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.mjs';
import { timed } from './report.mjs';

/**
 * @typedef {{ packages: Record<string, { version?: string, optional?: boolean }> }} Lock
 */

/**
 * Whether what npm says it installed (its own record inside node_modules) is what the lock file asks for.
 * Optional packages may lack: they are other platforms' binaries.
 *
 * @param {Lock} wanted
 * @param {Lock | undefined} installed
 */
export function isInstalled(wanted, installed) {
  if (installed === undefined) return false;
  return Object.entries(wanted.packages)
    .filter(([path, { optional }]) => path !== '' && !(optional && installed.packages[path] === undefined))
    .every(([path, { version }]) => installed.packages[path]?.version === version);
}

/** @param {string} path @returns {Lock | undefined} */
const readLock = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);

/**
 * @param {string} root
 * @returns {Promise<string | undefined>} why nothing can go on
 */
export async function installDependencies(root) {
  const wanted = readLock(join(root, 'package-lock.json'));
  if (wanted === undefined) return `${root} has no package-lock.json`;
  if (isInstalled(wanted, readLock(join(root, 'node_modules', '.package-lock.json')))) return undefined;
  // Without install scripts: tfjs-node-gpu's downloads from a site that many networks don't reach, and fails the whole install.
  const { code, output } = await timed('Installing the packages of package-lock.json', () =>
    run('npm', ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'], { cwd: root }),
  );
  return code === 0 ? undefined : `npm ci failed:\n${output}`;
}
