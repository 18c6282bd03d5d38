/** Bundles an app with Vite in its default configuration, and tells what the bundle contains. */
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/**
 * @typedef {object} Bundle
 * @property {{ readonly minified: number, readonly gzip: number }} size total size of its scripts, in bytes
 * @property {ReadonlyArray<string>} askForNode files in the bundle that import a module of Node
 */

/**
 * Bundles the page `index.html` of a folder into its subfolder `dist`.
 *
 * @param {string} root the folder
 */
export const bundlePage = (root) => bundled(root, {});

/**
 * Bundles a script without writing the result.
 *
 * @param {string} root folder of the app
 * @param {string} entry path of the script in that folder
 * @param {RegExp} external names of the modules that are left out of the bundle
 */
export const bundleScript = (root, entry, external) =>
  bundled(root, {
    write: false,
    rolldownOptions: { input: join(root, entry), external, preserveEntrySignatures: 'strict' },
  });

/**
 * @param {string} root
 * @param {import('vite').BuildOptions} options
 * @returns {Promise<Bundle>}
 */
async function bundled(root, options) {
  const askForNode = new Set();
  const result = await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: options,
    plugins: [
      {
        name: 'importers-of-node',
        moduleParsed: ({ id, importedIds, dynamicallyImportedIds }) => {
          if ([...importedIds, ...dynamicallyImportedIds].some(isNodes)) askForNode.add(id);
        },
      },
    ],
  });
  const { output } = /** @type {import('vite').Rolldown.RolldownOutput} */ (Array.isArray(result) ? result[0] : result);
  const scripts = output.flatMap((file) => (file.type === 'chunk' ? [file.code] : []));
  const sum = (/** @type {(script: string) => number} */ size) => scripts.reduce((total, script) => total + size(script), 0);
  return {
    size: { minified: sum((script) => Buffer.byteLength(script)), gzip: sum((script) => gzipSync(script).length) },
    askForNode: [...askForNode],
  };
}

/** Whether an id is a module of Node. Vite replaces such a module by an empty one with the name below. */
const isNodes = (/** @type {string} */ id) =>
  id.includes('__vite-browser-external') || id.startsWith('node:') || builtinModules.includes(id);
