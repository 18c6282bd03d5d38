/**
 * From `src/linalg/wasm/eigen.cpp` to a WebAssembly module, and to the TypeScript file that carries it: bytes in base64, so that no
 * bundler has a file to lose. The same source, flags and versions give the same bytes.
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

/** What the committed module was made with: Debian 12's emscripten and libeigen3-dev. */
export const VERSIONS = { emscripten: '3.1.6', eigen: '3.4.0' };

/** Where libeigen3-dev puts Eigen. */
const EIGEN = '/usr/include/eigen3';

const EXPORTS = ['malloc', 'free', 'symmetric_eigen_f64', 'symmetric_eigen_f32', 'cholesky', 'triangular_solve', 'multiply'];

const FLAGS = [
  ...['-std=c++17', '-O3', '-msimd128', '-fno-exceptions', '-fno-rtti', '-DNDEBUG', '-DEIGEN_MPL2_ONLY'],
  ...['-isystem', EIGEN],
  // No JavaScript of its own: the module is all there is.
  ...['--no-entry', '-sSTANDALONE_WASM=1', `-sEXPORTED_FUNCTIONS=${EXPORTS.map((name) => `_${name}`).join(',')}`],
  ...['-sALLOW_MEMORY_GROWTH=1', '-sTOTAL_STACK=1MB', '-sINITIAL_MEMORY=2MB', '-sMAXIMUM_MEMORY=4GB'],
];

/** Names source, flags and versions: it changes when the module has to be built anew. */
export const recipeHash = async () =>
  createHash('sha256')
    .update(JSON.stringify([VERSIONS, FLAGS, await readFile(SOURCE, 'utf8')]))
    .digest('hex');

/**
 * Why the module cannot be built here; undefined where it can.
 *
 * @returns {Promise<string | undefined>}
 */
export async function obstacle() {
  const compiler = await run('em++', ['--version']);
  if (compiler.code !== 0) return 'em++ is not there: apt-get install emscripten libeigen3-dev';
  const found = /\b(\d+\.\d+\.\d+)\b/.exec(compiler.output)?.[1];
  if (found !== VERSIONS.emscripten) return `em++ is ${found}, and the module is built by ${VERSIONS.emscripten}`;
  const eigen = await eigenVersion().catch(() => undefined);
  return eigen === VERSIONS.eigen
    ? undefined
    : `Eigen in ${EIGEN} is ${eigen ?? 'not there'}, and the module needs ${VERSIONS.eigen}`;
}

async function eigenVersion() {
  const macros = await readFile(join(EIGEN, 'Eigen', 'src', 'Core', 'util', 'Macros.h'), 'utf8');
  return ['WORLD', 'MAJOR', 'MINOR'].map((part) => new RegExp(`define EIGEN_${part}_VERSION (\\d+)`).exec(macros)?.[1]).join('.');
}

/** The bytes of the module. */
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
 * The text of module.ts.
 *
 * @param {Buffer} bytes
 * @param {string} hash
 */
export const moduleText = (
  bytes,
  hash,
) => `/** Eigen ${VERSIONS.eigen} (MPL-2.0) in WebAssembly. Made by \`npm run build:eigen\` of eigen.cpp: change that. */

/** Names the source, flags and versions that these bytes came from. */
export const RECIPE = '${hash}';

/** The module in base64. */
export const BYTES: string =
  '${bytes.toString('base64')}';
`;
