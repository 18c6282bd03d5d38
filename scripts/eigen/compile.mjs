/**
 * Compiles `src/linalg/wasm/eigen.cpp` to a WebAssembly module, and writes the module into a TypeScript file in base64, so that a
 * bundler has no separate file to lose. The same source, flags and versions give the same bytes.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../setup/process.mjs';

const FOLDER = fileURLToPath(new URL('../../src/linalg/wasm/', import.meta.url));

export const SOURCE = join(FOLDER, 'eigen.cpp');
export const MODULE = join(FOLDER, 'module.ts');

/** The versions with which the committed module was built: emscripten and libeigen3-dev of Debian 12. */
export const VERSIONS = { emscripten: '3.1.6', eigen: '3.4.0' };

/** The folder into which libeigen3-dev puts Eigen. */
const EIGEN = '/usr/include/eigen3';

const EXPORTS = ['malloc', 'free', 'symmetric_eigen_f64', 'symmetric_eigen_f32', 'cholesky', 'triangular_solve', 'multiply'];

const FLAGS = [
  ...['-std=c++17', '-O3', '-msimd128', '-fno-exceptions', '-fno-rtti', '-DNDEBUG', '-DEIGEN_MPL2_ONLY'],
  ...['-isystem', EIGEN],
  // Without the JavaScript that emscripten would add: only the module is built.
  ...['--no-entry', '-sSTANDALONE_WASM=1', `-sEXPORTED_FUNCTIONS=${EXPORTS.map((name) => `_${name}`).join(',')}`],
  ...['-sALLOW_MEMORY_GROWTH=1', '-sTOTAL_STACK=1MB', '-sINITIAL_MEMORY=2MB', '-sMAXIMUM_MEMORY=4GB'],
];

/** A hash of source, flags and versions. When it changes, the module has to be rebuilt. */
export const recipeHash = async () =>
  createHash('sha256')
    .update(JSON.stringify([VERSIONS, FLAGS, await readFile(SOURCE, 'utf8')]))
    .digest('hex');

/**
 * Tells why the module cannot be built here.
 *
 * @returns {Promise<string | undefined>} the reason, or undefined if it can be built
 */
export async function obstacle() {
  const compiler = await run('em++', ['--version']);
  if (compiler.code !== 0) return 'em++ was not found: apt-get install emscripten libeigen3-dev';
  const found = /\b(\d+\.\d+\.\d+)\b/.exec(compiler.output)?.[1];
  if (found !== VERSIONS.emscripten) return `em++ is version ${found}, but the module has to be built by ${VERSIONS.emscripten}`;
  const eigen = await eigenVersion().catch(() => undefined);
  return eigen === VERSIONS.eigen
    ? undefined
    : `Eigen in ${EIGEN}: found ${eigen ?? 'nothing'}, but the module needs version ${VERSIONS.eigen}`;
}

async function eigenVersion() {
  const macros = await readFile(join(EIGEN, 'Eigen', 'src', 'Core', 'util', 'Macros.h'), 'utf8');
  return ['WORLD', 'MAJOR', 'MINOR'].map((part) => new RegExp(`define EIGEN_${part}_VERSION (\\d+)`).exec(macros)?.[1]).join('.');
}

/** Compiles the module and returns its bytes. */
export async function compile() {
  const folder = await mkdtemp(join(tmpdir(), 'eigen-'));
  try {
    const file = join(folder, 'eigen.wasm');
    const { code, output } = await run('em++', [SOURCE, ...FLAGS, '-o', file]);
    if (code !== 0) throw new Error(`em++ failed:\n${output}`);
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Makes the text of module.ts.
 *
 * @param {Buffer} bytes the module
 * @param {string} hash the value of `recipeHash`
 */
export const moduleText = (
  bytes,
  hash,
) => `/** Eigen ${VERSIONS.eigen} (MPL-2.0) in WebAssembly. \`npm run build:eigen\` generates this file from eigen.cpp: edit eigen.cpp instead. */

/** A hash of the source, flags and versions from which the bytes were built. */
export const RECIPE = '${hash}';

/** The module in base64. */
export const BYTES: string =
  '${bytes.toString('base64')}';
`;
