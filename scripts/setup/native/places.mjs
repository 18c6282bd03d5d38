/** Versions and paths of what the native set-up builds. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The wheel with the C library on which the binding is built; requirements.txt has its hash. The tags state the platform, so that
 * the pip of any Python version can download it.
 */
export const TENSORFLOW = {
  version: '2.21.0',
  tags: ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--platform', 'manylinux_2_27_x86_64'],
};

/**
 * @param {string} root folder of this repository
 */
export function places(root) {
  const packageFolder = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  // node-pre-gyp looks for the binding in the folder of the newest Node-API version that both the package and this Node support.
  const api = Math.max(...manifest.binary.napi_versions.filter((/** @type {number} */ v) => v <= Number(process.versions.napi)));
  const cache = process.env.TFJS_LAPLACE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tfjs-laplace');
  const name = `tensorflow-cpu-${TENSORFLOW.version}-${process.platform}-${process.arch}`;
  const library = join(cache, name);
  return {
    name,
    packageFolder,
    packageVersion: /** @type {string} */ (manifest.version),
    api,
    /** Path at which tfjs looks for the binding. */
    binding: join(packageFolder, 'lib', `napi-v${api}`, 'tfjs_binding.node'),
    cache,
    /**
     * Folder of TensorFlow's library and C headers. Our binding is built into it, because it looks for the library in its own
     * folder.
     */
    library,
    built: join(library, `tfjs_binding-${manifest.version}-napi-v${api}.node`),
    headers: join(root, 'node_modules', 'node-api-headers', 'include'),
    /** Result of the last set-up. It lies in node_modules, so that it is removed together with the packages that it is about. */
    record: join(root, 'node_modules', '.tfjs-laplace', 'native.json'),
  };
}

/** @typedef {ReturnType<typeof places>} Places */
