/** The ways to a binding. Each answers why it failed, or nothing. */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { complaint, run } from '../process.mjs';
import { timed } from '../report.mjs';
import { whyNoBuild } from './decide.mjs';
import { host } from './host.mjs';
import { isReady, unpackWheel } from './library.mjs';

/** @typedef {import('./places.mjs').Places} Places */

/** Enough for its download on a slow line; where a firewall swallows packets nobody waits longer than this. */
const INSTALLER_LIMIT_MS = 180_000;

/** @param {Places} at */
export const isBuilt = (at) => isReady(at) && existsSync(at.built);

/** @param {Places} at */
export async function ownInstaller(at) {
  // It would write through our link into the cache.
  rmSync(at.binding, { force: true });
  const { code, output } = await timed("Running tfjs-node-gpu's own installer", () =>
    run('npm', ['run', 'install'], { cwd: at.packageFolder, limitMs: INSTALLER_LIMIT_MS }),
  );
  if (code === 0) return undefined;
  for (const half of ['deps', 'lib']) rmSync(join(at.packageFolder, half), { recursive: true, force: true });
  return complaint(output);
}

/** @param {Places} at */
export async function fromWheel(at) {
  const here = await host();
  const reason = whyNoBuild(here);
  if (reason !== undefined) return reason;
  try {
    return (await unpackWheel(at, String(here.python))) ?? (await compile(at, String(here.compiler))) ?? (await link(at));
  } catch (error) {
    return String(error); // a full disk, a cache folder that can't be written
  }
}

/**
 * The binding is two C++ files on TensorFlow's C API and Node-API, both stable: a compiler is all that they need.
 *
 * @param {Places} at
 * @param {string} compiler
 */
async function compile(at, compiler) {
  const half = `${at.built}.${process.pid}`;
  const include = join(at.library, 'include');
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(at.packageFolder, 'binding', file));
  const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'].map((file) => join(at.library, file));
  const flags = ['-std=c++17', '-O2', '-fPIC', '-shared', '-Wl,-rpath,$ORIGIN', `-DNAPI_VERSION=${at.api}`];
  const { code, output } = await timed('Compiling the binding', () =>
    run(compiler, [...flags, '-I', at.headers, '-I', include, ...sources, ...libraries, '-o', half]),
  );
  if (code !== 0) return `${compiler} failed: ${complaint(output)}`;
  renameSync(half, at.built);
  return undefined;
}

/**
 * A link is enough: Node loads a binding by its real path, where the library lies beside it.
 *
 * @param {Places} at
 */
export async function link(at) {
  mkdirSync(dirname(at.binding), { recursive: true });
  rmSync(at.binding, { force: true });
  symlinkSync(at.built, at.binding);
  return undefined;
}
