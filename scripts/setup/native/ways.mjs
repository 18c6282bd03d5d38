/** The ways to get a binding. Each resolves with the reason for its failure, or with undefined if it succeeded. */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { complaint, run, runNpm } from '../process.mjs';
import { timed } from '../report.mjs';
import { whyNoBuild } from './decide.mjs';
import { host } from './host.mjs';
import { isReady, unpackWheel } from './library.mjs';

/** @typedef {import('./places.mjs').Places} Places */

/** Time limit of the installer: enough for its download on a slow line, and an end where a firewall drops its packets. */
const INSTALLER_LIMIT_MS = 180_000;

/**
 * Whether an earlier set-up has built the binding.
 *
 * @param {Places} at
 */
export const isBuilt = (at) => isReady(at) && existsSync(at.built);

/**
 * Runs the installer of tfjs-node-gpu, which downloads a binding.
 *
 * @param {Places} at
 */
export async function ownInstaller(at) {
  // The binding may be our link. The installer would write through it into the cache.
  rmSync(at.binding, { force: true });
  const { code, output } = await timed("Running tfjs-node-gpu's own installer", () =>
    runNpm(['run', 'install'], { cwd: at.packageFolder, limitMs: INSTALLER_LIMIT_MS }),
  );
  if (code === 0) return undefined;
  for (const half of ['deps', 'lib']) rmSync(join(at.packageFolder, half), { recursive: true, force: true });
  return complaint(output);
}

/**
 * Builds the binding on the C library in TensorFlow's Python wheel.
 *
 * @param {Places} at
 */
export async function fromWheel(at) {
  const here = await host();
  const reason = whyNoBuild(here);
  if (reason !== undefined) return reason;
  try {
    return (await unpackWheel(at, String(here.python))) ?? (await compile(at, String(here.compiler))) ?? (await link(at));
  } catch (error) {
    return String(error); // such as a full disk, or a cache folder that cannot be written
  }
}

/**
 * Compiles the binding. It is two C++ files that use only TensorFlow's C API and Node-API, which are both stable. So a compiler
 * is enough to build it.
 *
 * @param {Places} at
 * @param {string} compiler command of a C++ compiler
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
 * Links the binding in the cache to the path at which tfjs looks for it. A link is enough: Node loads a binding from its real
 * path, and the library lies beside it there.
 *
 * @param {Places} at
 */
export async function link(at) {
  mkdirSync(dirname(at.binding), { recursive: true });
  rmSync(at.binding, { force: true });
  symlinkSync(at.built, at.binding);
  return undefined;
}
