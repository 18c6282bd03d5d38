/** Installs node_modules as package-lock.json states it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from './process.mjs';
import { timed } from './report.mjs';

/**
 * @typedef {{ packages: Record<string, { version?: string, optional?: boolean }> }} Lock
 */

/**
 * Whether npm has installed the packages of the lock file. An optional package may be missing, because it may be the binary of
 * another platform.
 *
 * @param {Lock} wanted package-lock.json
 * @param {Lock | undefined} installed npm's record of what it installed, in node_modules; undefined if there is none
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
 * Installs the packages, unless they are there already.
 *
 * @param {string} root folder of this repository
 * @returns {Promise<string | undefined>} why the installation failed, or undefined
 */
export async function installDependencies(root) {
  const wanted = readLock(join(root, 'package-lock.json'));
  if (wanted === undefined) return `${root} has no package-lock.json`;
  if (isInstalled(wanted, readLock(join(root, 'node_modules', '.package-lock.json')))) return undefined;
  // Install scripts are left out. The one of tfjs-node-gpu downloads from a site that many networks do not reach, and without the
  // download it fails the whole installation.
  const { code, output } = await timed('Installing the packages of package-lock.json', () =>
    runNpm(['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'], { cwd: root }),
  );
  return code === 0 ? undefined : `npm ci failed:\n${output}`;
}
