/** What is built, and where it lies. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The wheel whose C library the binding is built on; its hash is in requirements.txt. Any Python's pip can fetch it. */
export const TENSORFLOW = {
  version: '2.21.0',
  tags: ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--platform', 'manylinux_2_27_x86_64'],
};

/**
 * @param {string} root of this repository
 */
export function places(root) {
  const packageFolder = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  // node-pre-gyp looks for a binding in the folder of the newest Node-API that the package and this Node both know.
  const api = Math.max(...manifest.binary.napi_versions.filter((/** @type {number} */ v) => v <= Number(process.versions.napi)));
  const cache = process.env.TFJS_LAPLACE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tfjs-laplace');
  const name = `tensorflow-cpu-${TENSORFLOW.version}-${process.platform}-${process.arch}`;
  const library = join(cache, name);
  return {
    name,
    packageFolder,
    packageVersion: /** @type {string} */ (manifest.version),
    api,
    /** Where tfjs looks for the binding. */
    binding: join(packageFolder, 'lib', `napi-v${api}`, 'tfjs_binding.node'),
    cache,
    /** TensorFlow's library and C headers, with our binding beside them: the binding finds the library in its own folder. */
    library,
    built: join(library, `tfjs_binding-${manifest.version}-napi-v${api}.node`),
    headers: join(root, 'node_modules', 'node-api-headers', 'include'),
    /** What the last set-up came to. Inside node_modules, for it is as old as what it speaks of. */
    record: join(root, 'node_modules', '.tfjs-laplace', 'native.json'),
  };
}

/** @typedef {ReturnType<typeof places>} Places */
