/** Vite's build of an app, with no configuration but where things are, and what went into it. */
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/**
 * @typedef {object} Bundle
 * @property {{ readonly minified: number, readonly gzip: number }} size of its scripts, in bytes
 * @property {ReadonlyArray<string>} askForNode files in it that import a module of Node
 */

/**
 * Builds the page `index.html` of a folder into `dist` beside it.
 *
 * @param {string} root
 */
export const bundlePage = (root) => bundled(root, {});

/**
 * Bundles a script without writing it.
 *
 * @param {string} root
 * @param {string} entry
 * @param {RegExp} external names of what stays outside
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

/** Vite puts an empty module of that name in place of one of Node's. */
const isNodes = (/** @type {string} */ id) =>
  id.includes('__vite-browser-external') || id.startsWith('node:') || builtinModules.includes(id);
